import Hardware
import Kernels
import Numerics

/// What a block needs of its surroundings to process one slice. Confined to the stage's thread.
package struct SliceContext {
    package let matrices: any MatrixProducts
    package let kernels: KernelTable
    package let slice: any SharedSlice
    /// The rows of the block that is at work; nil where it keeps none, and for weight gradients.
    package internal(set) var prefix: PrefixRows?
    /// Shared scratch of at least the stage's `BlockSizes.workspace` floats; contents last for one call.
    package let workspace: UnsafeMutablePointer<Float>
    /// Token ids of the slice, for the embedding.
    package internal(set) var tokens: UnsafePointer<Int32>?
    /// Targets of the slice (negative: ignored), for the output layer.
    package internal(set) var targets: UnsafePointer<Int32>?
    /// dLoss/d(sum of token losses): 1 / (targets that count in the whole step).
    package internal(set) var lossScale: Float = 0
    /// The generator key of this sequence at this step; nil switches dropout off.
    package let dropout: DropoutStream?

    /// T
    package let length: Int

    package var team: Team { matrices.team }

    package init(
        matrices: any MatrixProducts, kernels: KernelTable = .best, slice: any SharedSlice,
        workspace: UnsafeMutablePointer<Float>, dropout: DropoutStream? = nil
    ) {
        self.matrices = matrices
        self.kernels = kernels
        self.slice = slice
        length = slice.length
        self.workspace = workspace
        self.dropout = dropout
    }
}

/// Names the dropout masks of one sequence in one step.
package struct DropoutStream: Sendable {
    package let seed: UInt64
    package let step: Int
    /// The sequence's global number.
    package let sequence: Int

    package init(seed: UInt64, step: Int, sequence: Int) {
        self.seed = seed
        self.step = step
        self.sequence = sequence
    }

    /// The generator key of one site (a dropout call of one layer; one head and query for attention).
    package func key(layer: Int, site: Int) -> SIMD2<UInt32> {
        let ofStep = CounterGenerator(seed: RandomStream.dropoutSeed(seed), stream: UInt64(step))
        let sequenceStream = ofStep.word(UInt64(sequence))
        return CounterGenerator(seed: sequenceStream, stream: UInt64(layer) << 32 | UInt64(site)).key
    }
}
