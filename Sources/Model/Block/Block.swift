import Hardware

/// A part of a model that computes on one pipeline stage: it maps a slice of activations to the next, with carried
/// state. What is to be known of it beforehand its `BlockDescription` says.
///
/// Sizes are in floats. Memory belongs to the caller: a *stash* per slice in flight keeps what the backward needs, a
/// *gradient stash* hands the upstream gradients of linear maps from `backward` to `accumulateWeightGradients`, a
/// *state* is a stream's carried state after some token, with a gradient of the same layout. A block is confined to its
/// stage's thread.
///
/// Forward and backward are exact: slice by slice gives the loss and every gradient of the whole sequence.
package protocol Block: AnyObject {
    var name: String { get }

    /// Tells the block where its parameters and gradients are.
    func bind(_ store: ParameterStore)

    /// The carried state before any token.
    func initialState(_ state: UnsafeMutablePointer<Float>, _ shape: SliceShape)

    /// Call before a step's first forward, whenever parameters or the memory's layout have changed.
    func beginStep(_ shape: SliceShape)

    /// x, y [T, D]. Reads `entry`, writes `exit` (they don't overlap) and `stash`.
    func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
        entry: UnsafePointer<Float>, exit: UnsafeMutablePointer<Float>, stash: UnsafeMutablePointer<Float>)

    /// dy -> dx [T, D] of the slice that `forward` left. `stateGradient` holds the gradient of the state handed on and
    /// receives that of the state taken in. Adds the gradients of all parameters but the large matrices, whose upstream
    /// gradients it leaves in the slice's `gradientStash`. dx may be dy.
    func backward(
        _ context: SliceContext, _ slice: SliceMemory, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
        stateGradient: UnsafeMutablePointer<Float>)

    /// Adds the gradients of the large matrices for the slice that `backward` has processed.
    /// - Parameter followsBackward: this is the call right after that `backward`: scratch is still as it left it
    func accumulateWeightGradients(_ context: SliceContext, _ slice: SliceMemory, followsBackward: Bool)

    /// Call when a step's last gradient has been added.
    func endStep()

    /// What a breakdown counts `beginStep` and `endStep` as.
    var preparation: Work { get }
}

extension Block {
    package var preparation: Work { .elementwise }
}

/// Where a block finds a slice that went forward, and leaves what it hands on to its weight gradients.
package struct SliceMemory {
    /// The block's input [T, D].
    package let x: UnsafePointer<Float>
    /// As `forward` left it.
    package let stash: UnsafeMutablePointer<Float>
    /// From `backward` to `accumulateWeightGradients`.
    package let gradientStash: UnsafeMutablePointer<Float>
}

/// The block at a model's end, which makes a loss of its input. Its y is unused.
package protocol OutputBlock: Block {
    /// Sum of the latest forward's token losses in nats.
    var lossSum: Double { get }
    /// Those losses by token, 0 where none counts, in the first places of what was made for longer slices.
    var tokenLosses: [Double] { get }

    /// The logits [T, V] of the slice in `stash`, as long as its forward had no targets with a gradient.
    func logits(stash: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float>
}
