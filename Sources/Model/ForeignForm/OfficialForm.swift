/// How the published code of an architecture keeps a model in its state dict, where that isn't as ours is: other names,
/// axes of size 1, other numbers, and tensors that are no parameters. There is no description beside it: the model is
/// the one that is configured.
package struct OfficialForm: Sendable {
    /// What it is called by who asks for it.
    package static let name = "official"

    /// A tensor that nothing is learned in.
    package struct Buffer: Sendable {
        package enum Values: Sendable, Equatable {
            /// Must be so where the tensor is there.
            case integer(Int64)
            case floats([Float])
            /// Written as 0, read without a look.
            case unused
        }

        package let name: String
        package let shape: [Int]
        package let values: Values

        package init(_ name: String, shape: [Int], _ values: Values) {
            self.name = name
            self.shape = shape
            self.values = values
        }
    }

    /// What stands before every name; it may be left out in files that are read.
    package let prefix: String
    private let rename: @Sendable (ParameterSpec) -> (name: String, shape: [Int], change: ForeignTensor.Change)
    private let others: @Sendable (any Architecture) -> [Buffer]
    private let repeated: @Sendable (any Architecture) -> [String: String]

    /// - Parameters:
    ///   - rename: a tensor's name without the prefix, its shape, and what its numbers are changed by
    ///   - buffers: tensors that are no parameters, without the prefix
    ///   - copies: tensors that repeat one of ours where the model ties them: [theirs without the prefix: ours]
    package init<Model: Architecture>(
        of _: Model.Type, prefix: String = "",
        rename: @escaping @Sendable (ParameterSpec) -> (name: String, shape: [Int], change: ForeignTensor.Change),
        buffers: @escaping @Sendable (Model) -> [Buffer], copies: @escaping @Sendable (Model) -> [String: String]
    ) {
        self.prefix = prefix
        self.rename = rename
        others = { buffers(Model.own($0)) }
        repeated = { copies(Model.own($0)) }
    }

    /// The tensors of a model whose keys are settled, in the model's order; copies of others are none. Names have no
    /// prefix.
    package func tensors(of model: any Architecture) -> [ForeignTensor] {
        model.parts.flatMap { model.describe($0).parameters }.filter { $0.copyOf == nil }.map { spec in
            let theirs = rename(spec)
            return ForeignTensor(spec, name: theirs.name, change: theirs.change, shape: theirs.shape)
        }
    }

    package func buffers(of model: any Architecture) -> [Buffer] { others(model) }

    /// Names of theirs, without the prefix, that repeat a tensor of ours, in order.
    package func copies(of model: any Architecture) -> [(name: String, original: String)] {
        repeated(model).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
