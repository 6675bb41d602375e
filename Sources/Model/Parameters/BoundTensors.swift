/// Where one block's tensors lie, by their names within the block. Looking one up allocates nothing, unlike putting its
/// full name together; for that, names stay within the 15 bytes that a string holds by itself.
struct BoundTensors {
    private var values: [String: UnsafeMutablePointer<Float>] = [:]
    private var gradients: [String: UnsafeMutablePointer<Float>] = [:]
    /// Whether the store has gradients.
    let trains: Bool

    /// The tensors whose names begin with `prefix`.
    init(_ store: ParameterStore, prefix: String) {
        trains = store.gradients.count > 0
        for entry in store.entries where entry.spec.name.hasPrefix(prefix) {
            let name = String(entry.spec.name.dropFirst(prefix.count))
            values[name] = store.values.base + entry.offset
            gradients[name] = store.gradients.base + entry.offset
        }
    }

    func value(_ name: String) -> UnsafeMutablePointer<Float> {
        guard let value = values[name] else { preconditionFailure("no tensor \(name) in this block") }
        return value
    }

    func gradient(_ name: String) -> UnsafeMutablePointer<Float> {
        guard trains, let gradient = gradients[name] else { preconditionFailure("no gradient \(name) in this block") }
        return gradient
    }
}
