/// Reading with the size that the case's shapes and hyperparameters ask for: a tensor of another size would be read
/// past its end.
extension GoldenSource {
    func floats(_ tensor: String, count: Int) throws -> [Float] {
        try check(try floats(tensor), tensor, count)
    }

    func ints(_ tensor: String, count: Int) throws -> [Int32] {
        try check(try ints(tensor), tensor, count)
    }

    func flags(_ tensor: String, count: Int) throws -> [Bool] {
        try check(try flags(tensor), tensor, count)
    }

    /// Token numbers of a vocabulary; negative ones (targets that don't count) where `ignores`.
    func tokens(_ tensor: String, count: Int, below vocabulary: Int, ignores: Bool = false) throws -> [Int32] {
        let values = try ints(tensor, count: count)
        if let i = values.firstIndex(where: { $0 >= vocabulary || ($0 < 0 && !ignores) }) {
            throw VerificationError(
                "\(name): tensor '\(tensor)' holds \(values[i]) at \(i); token numbers lie in 0..<\(vocabulary)")
        }
        return values
    }

    private func check<Element>(_ values: [Element], _ tensor: String, _ count: Int) throws -> [Element] {
        guard values.count == count else {
            throw VerificationError(
                """
                \(name): tensor '\(tensor)' has \(values.count) values; the other shapes and the hyperparameters \
                need \(count)
                """
            )
        }
        return values
    }

    /// Throws unless `parts` cut `whole` evenly.
    func requireDivides(_ parts: Int, _ whole: Int, _ what: String) throws {
        guard parts > 0, whole % parts == 0 else {
            throw VerificationError("\(name): \(what): \(whole) can't be cut in \(parts) equal parts")
        }
    }
}
