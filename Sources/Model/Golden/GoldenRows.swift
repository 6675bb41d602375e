import Numerics

extension FloatBuffer {
    convenience init(_ values: [Float]) {
        self.init(values.count)
        base.update(from: values, count: values.count)
    }

    func values(_ count: Int? = nil) -> [Float] { Array(UnsafeBufferPointer(start: base, count: count ?? self.count)) }
}

extension Array {
    /// Row `i` of a batch of `rows`.
    func row(_ i: Int, of rows: Int) -> [Element] {
        let n = rows == 0 ? 0 : count / rows
        return Array(self[i * n..<(i + 1) * n])
    }
}

extension ParameterStore {
    package func gradientValues(_ name: String) -> [Float] {
        guard let entry = self[name], let p = gradient(name) else { return [] }
        return Array(UnsafeBufferPointer(start: p, count: entry.count))
    }

    /// Copies a golden tensor into a parameter.
    func set(_ parameter: String, _ values: [Float], file: String) throws {
        guard let entry = self[parameter] else {
            throw VerificationError("\(file): parameter '\(parameter)' doesn't exist in a model of this configuration")
        }
        guard entry.count == values.count else {
            throw VerificationError(
                "\(file): parameter '\(parameter)' has \(values.count) values; this configuration needs \(entry.count)")
        }
        value(parameter)!.update(from: values, count: values.count)
    }
}
