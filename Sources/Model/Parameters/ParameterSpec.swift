/// A tensor of parameters that a block owns: its name (the reference implementation's), shape, first values and whether
/// weight decay applies.
package struct ParameterSpec: Sendable, Equatable {
    package let name: String
    package let shape: [Int]
    package let initializer: Initializer
    /// True for the weights of linear maps and of the (un)embedding.
    package let decays: Bool
    /// Laid right behind the tensor before it, so that one matrix product serves both.
    package let joinsPrevious: Bool
    /// A copy of a tensor that another stage owns (tied embeddings): trained here too, counted and saved there.
    package let copyOf: String?

    package init(
        _ name: String, _ shape: [Int], _ initializer: Initializer, decays: Bool = false, joinsPrevious: Bool = false,
        copyOf: String? = nil
    ) {
        self.name = name
        self.shape = shape
        self.initializer = initializer
        self.decays = decays
        self.joinsPrevious = joinsPrevious
        self.copyOf = copyOf
    }

    package var count: Int { shape.reduce(1, *) }
}
