/// A part of a model that lives on one pipeline stage: it maps a slice of activations to the next, with carried state.
///
/// Sizes are in floats. Memory belongs to the caller: a *stash* per slice in flight keeps what the backward needs, a *gradient stash*
/// hands the upstream gradients of linear maps from `backward` to `accumulateWeightGradients`, a *state* is a stream's carried
/// state after some token, with a gradient of the same layout. A block is confined to its stage's thread.
///
/// Forward and backward are exact: slice by slice gives the loss and every gradient of the whole sequence.
package protocol Block: AnyObject {
    var name: String { get }
    var parameters: [ParameterSpec] { get }

    func sizes(for geometry: SliceGeometry) -> BlockSizes

    /// Tells the block where its parameters and gradients are.
    func bind(_ store: ParameterStore)

    /// The carried state before any token.
    func initialState(_ state: UnsafeMutablePointer<Float>, _ geometry: SliceGeometry)

    /// What the carried state consists of, under names of the model's: what files hold of a stream.
    func stateTensors(_ geometry: SliceGeometry) -> [StateTensor]

    /// Call before a step's first forward, whenever parameters or the memory's layout have changed.
    func beginStep(_ geometry: SliceGeometry)

    /// x, y [T, D]. Reads `entry`, writes `exit` (they don't overlap) and `stash`.
    func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
        entry: UnsafePointer<Float>, exit: UnsafeMutablePointer<Float>, stash: UnsafeMutablePointer<Float>)

    /// dy -> dx [T, D]. `stateGradient` holds the gradient of the state handed on and receives that of the state taken in. Adds the gradients
    /// of all parameters but the large matrices, whose upstream gradients it leaves in `gradientStash`. dx may be dy.
    func backward(
        _ context: SliceContext, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, x: UnsafePointer<Float>,
        stateGradient: UnsafeMutablePointer<Float>, stash: UnsafeMutablePointer<Float>,
        gradientStash: UnsafeMutablePointer<Float>)

    /// Adds the gradients of the large matrices for the slice that `backward` has processed.
    /// - Parameter followsBackward: this is the call right after that `backward`: scratch is still as it left it
    func accumulateWeightGradients(
        _ context: SliceContext, x: UnsafePointer<Float>, stash: UnsafeMutablePointer<Float>,
        gradientStash: UnsafeMutablePointer<Float>, followsBackward: Bool)

    /// Call when a step's last gradient has been added.
    func endStep()

    /// Matrix flops of one token's forward (multiply and add counted apart, masked tiles not counted): what utilisation counts.
    var forwardFlopsPerToken: Double { get }
}

/// A part of a block's carried state.
package struct StateTensor: Sendable, Equatable {
    /// `layers.3.ema`: the block's name and the part's.
    package let name: String
    package let shape: [Int]
    /// Floats from the beginning of the block's state.
    package let offset: Int

    package init(_ name: String, _ shape: [Int], offset: Int) {
        self.name = name
        self.shape = shape
        self.offset = offset
    }

    package var count: Int { shape.reduce(1, *) }
}

extension Block {
    /// For blocks without a state.
    package func stateTensors(_ geometry: SliceGeometry) -> [StateTensor] { [] }
}

/// Memory that a block asks for, in floats.
package struct BlockSizes: Sendable, Equatable {
    /// Carried state of one stream.
    package var state = 0
    /// Kept from forward to backward for one slice.
    package var stash = 0
    /// Kept from backward to weight gradients for one slice.
    package var gradientStash = 0
    /// Scratch during one call.
    package var workspace = 0
    /// Kept for good beside the parameters: weights in packed form.
    package var packed = 0

    package init(state: Int = 0, stash: Int = 0, gradientStash: Int = 0, workspace: Int = 0, packed: Int = 0) {
        self.state = state
        self.stash = stash
        self.gradientStash = gradientStash
        self.workspace = workspace
        self.packed = packed
    }
}
