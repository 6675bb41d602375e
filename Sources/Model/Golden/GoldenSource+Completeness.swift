extension GoldenSource {
    /// Holds a case of an operation or a layer to the form of golden data: every output has an expected value, every
    /// real input and parameter an expected gradient, and all of them have been compared. A carried state needs no
    /// gradient: an empty one has none.
    func requireComplete(case name: String, compared: Set<String>) throws {
        let prefix = name + "."
        for tensor in names where tensor.hasPrefix(prefix) {
            let parts = tensor.dropFirst(prefix.count).split(separator: ".", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { continue }
            let (role, rest) = (parts[0], parts[1])
            switch role {
            case "out", "grad":
                if !compared.contains("\(role).\(rest)") { throw unknown(tensor) }
            case "up":
                if !has("\(prefix)out.\(rest)") { throw missing("\(prefix)out.\(rest)") }
            case "in":
                let isState = rest.hasPrefix("state.") || ["mean", "var", "h", "memory", "lognorm"].contains(rest)
                if try !isState && isReal(tensor) && !has("\(prefix)grad.\(rest)") {
                    throw missing("\(prefix)grad.\(rest)")
                }
            default: continue
            }
        }
    }

    func unknown(_ tensor: String) -> VerificationError {
        VerificationError(
            "\(name): tensor '\(tensor)' is not known: nothing was computed that it could be compared with")
    }

    /// Throws if an expected value of a model hasn't been compared. `others`: names that another case compares.
    func requireAllCompared(_ compared: Set<String>, except others: Set<String> = []) throws {
        for tensor in names
        where !tensor.hasPrefix("in.") && !compared.contains(tensor) && !others.contains(tensor) {
            throw unknown(tensor)
        }
    }

    /// Where the file holds a part of a state or its gradient (`kind` state or stategrad), it must hold all parts,
    /// whose names are `found`.
    func requireWholeStates(_ kind: String, _ found: some Sequence<String>) throws {
        let positions = positions(of: kind)
        for name in found.sorted() where !has(name) {
            if let position = Self.position(name, kind), positions.contains(position) { throw missing(name) }
        }
    }

    /// Positions in the names `kind.POSITION.PART`.
    func positions(of kind: String) -> Set<Int> { Set(names.compactMap { Self.position($0, kind) }) }

    private static func position(_ name: String, _ kind: String) -> Int? {
        let parts = name.split(separator: ".", maxSplits: 2)
        return parts.count == 3 && parts[0] == kind ? Int(parts[1]) : nil
    }
}
