/// How the model's layers are dealt to pipeline stages.
package enum LayerSplit: Sendable, Equatable {
    /// By a cost model that counts the embedding and the output layer.
    case balanced
    /// Equal counts; the first stages take one more where they do not divide.
    case even
    /// Layers per stage, first stage first.
    case explicit([Int])
}

extension LayerSplit: CustomStringConvertible {
    /// Reads `balanced`, `even`, or a list such as `3,2,3`.
    init?(_ text: String) {
        switch text {
        case "balanced": self = .balanced
        case "even": self = .even
        default:
            let inner = text.hasPrefix("[") && text.hasSuffix("]") ? text.dropFirst().dropLast() : text[...]
            let counts = inner.split(separator: ",", omittingEmptySubsequences: false)
                .map { Int($0.filter { $0 != " " }) }
            guard counts.allSatisfy({ $0 != nil }) else { return nil }
            self = .explicit(counts.compactMap { $0 })
        }
    }

    package var description: String {
        switch self {
        case .balanced: "balanced"
        case .even: "even"
        case .explicit(let counts): counts.map(String.init).joined(separator: ",")
        }
    }
}
