import Numerics

/// How a stage's memory for slices of one length is laid out, in floats; known from their descriptions alone, before
/// there are parameters.
package struct StageLayout: Sendable {
    /// From the input of one block to that of the next within a slot.
    let inputStride: Int
    let stashOffsets: [Int]
    let gradientOffsets: [Int]
    let stateOffsets: [Int]
    /// Floats of a token's rows before each block's.
    let prefixOffsets: [Int]
    /// Floats of a token's rows of all blocks.
    package let prefixWidth: Int
    /// The inputs of all blocks and their stashes.
    package let slotCount: Int
    /// The upstream gradients of the linear maps, of all blocks or of the largest.
    package let gradientSlotCount: Int
    /// The carried state of all blocks.
    package let stateCount: Int
    /// Scratch during an action.
    package let workspaceCount: Int
    /// Weights in packed form.
    package let packedCount: Int

    /// - Parameter splitsWeightGradients: whether weight gradients come in actions of their own. If not, each block's
    ///   follow its input gradient at once, so that all blocks can use the same gradient slot one after another.
    package init(_ blocks: [BlockDescription], dim: Int, shape: SliceShape, splitsWeightGradients: Bool) {
        let sizes = blocks.map { $0.sizes(for: shape) }
        let alignment = FloatBuffer.alignment
        inputStride = (shape.length * dim + alignment - 1) / alignment * alignment
        (stashOffsets, slotCount) = Self.offsets(sizes.map(\.stash), from: inputStride * blocks.count)
        let gradients = sizes.map(\.gradientStash)
        (gradientOffsets, gradientSlotCount) =
            splitsWeightGradients
            ? Self.offsets(gradients) : ([Int](repeating: 0, count: gradients.count), gradients.max() ?? 0)
        (stateOffsets, stateCount) = Self.offsets(sizes.map(\.state))
        let widths = sizes.map(\.prefix)
        prefixOffsets = widths.indices.map { widths[..<$0].reduce(0, +) }
        prefixWidth = widths.reduce(0, +)
        packedCount = sizes.reduce(0) { $0 + $1.packed }
        workspaceCount = sizes.map(\.workspace).max() ?? 0
    }

    private static func offsets(_ counts: [Int], from first: Int = 0) -> ([Int], Int) {
        var carver = Carver(counting: ())
        _ = carver.take(first)
        var result: [Int] = []
        for count in counts {
            result.append(carver.used)
            _ = carver.take(count)
        }
        return (result, carver.used)
    }
}
