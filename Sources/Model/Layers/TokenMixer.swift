import Hardware
import Numerics

/// An architecture whose layers are a token mixer and a feed-forward network behind it.
package protocol MixerArchitecture: Architecture {
    func feedForward(layer: Int) -> FeedForward.Form
    /// Whether the feed-forward network's residual is the layer's input instead of the mixer's output.
    var hasTwoHops: Bool { get }
}

extension MixerArchitecture {
    package var hasTwoHops: Bool { false }
}

/// What brings the tokens of a sequence together: the first half of a layer, x -> y [T, D] with its residual and with
/// carried state. How its memory is laid out is known without it, from the configuration and the slices' shape.
package protocol TokenMixer: AnyObject {
    associatedtype Configuration: MixerArchitecture
    /// What is kept of one slice from forward to backward.
    associatedtype Stash
    /// What a backward leaves for the weight gradients.
    associatedtype GradientStash
    /// Scratch of one call.
    associatedtype Workspace

    static func parameters(_ c: Configuration, layer: Int) -> [ParameterSpec]
    /// The linear maps whose weights are prepared.
    static func maps(_ c: Configuration) -> [LinearMap.Shape]
    /// Floats of the state that is copied from slice to slice, and its parts under names of the layer's.
    static func stateCount(_ c: Configuration, _ shape: SliceShape) -> Int
    static func carried(_ c: Configuration, _ shape: SliceShape, layer: String) -> [StateTensor]
    /// Floats of a token's row that is kept for the whole sequence.
    static func prefixWidth(_ c: Configuration) -> Int
    static func stash(_ carver: inout Carver, _ c: Configuration, _ shape: SliceShape) -> Stash
    static func gradientStash(_ carver: inout Carver, _ c: Configuration, _ shape: SliceShape) -> GradientStash
    static func workspace(_ carver: inout Carver, _ c: Configuration, _ shape: SliceShape) -> Workspace

    init(_ c: Configuration, layer: Int)
    func bind(_ store: ParameterStore)
    func beginStep()
    func endStep()
    /// What a breakdown counts `beginStep` and `endStep` as.
    var preparation: Work { get }
    /// The state before any token.
    func initialState(_ state: UnsafeMutablePointer<Float>, _ shape: SliceShape)

    func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, state: MixerState,
        stash: Stash, workspace: Workspace)

    /// Where the gradient of y [T, D] is put before `backward`, its residual's share included.
    func outputGradient(_ memory: MixerMemory<Self>) -> UnsafeMutablePointer<Float>

    /// The gradient of y -> dx [T, D]. `stateGradient` holds the gradient of the state handed on, and receives that of
    /// the state taken in.
    func backward(
        _ context: SliceContext, dx: UnsafeMutablePointer<Float>, x: UnsafePointer<Float>, stateGradient: MixerState,
        _ memory: MixerMemory<Self>)

    /// - Parameter followsBackward: the workspace is still as the slice's `backward` left it
    func accumulateWeightGradients(
        _ context: SliceContext, x: UnsafePointer<Float>, _ memory: MixerMemory<Self>, followsBackward: Bool)
}

extension TokenMixer {
    package static func stateCount(_ c: Configuration, _ shape: SliceShape) -> Int { 0 }
    package static func carried(_ c: Configuration, _ shape: SliceShape, layer: String) -> [StateTensor] { [] }
    package static func prefixWidth(_ c: Configuration) -> Int { 0 }
    package var preparation: Work { .elementwise }
    package func initialState(_ state: UnsafeMutablePointer<Float>, _ shape: SliceShape) {}
}

/// Where the state of a mixer lies at a slice's entrance and exit, which don't overlap; or its gradient, where both are
/// one.
package struct MixerState {
    let entry, exit: UnsafeMutablePointer<Float>
    /// What it is laid out for.
    let shape: SliceShape
}

/// Where a mixer's backward finds its slice and leaves what the weight gradients take.
package struct MixerMemory<Mixer: TokenMixer> {
    let stash: Mixer.Stash
    let gradientStash: Mixer.GradientStash
    let workspace: Mixer.Workspace
}
