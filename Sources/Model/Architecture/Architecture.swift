import Hardware
import Numerics

/// A model architecture as a value: the keys of `[model]`, and the answers to every question about names, shapes,
/// sizes, costs and carried state that follow from them. Asking takes no memory beside the answer; only `makeBlocks`
/// and `makeSlice` make what computes.
///
/// `init()` gives every key its default. What a key leaves open is settled by `resolve`; the other questions are asked
/// afterwards.
package protocol Architecture: Sendable {
    /// What `model.architecture` calls it.
    static var name: String { get }
    /// The keys of `[model]`, in the order of help, example and resolved file; `layers` and `vocabulary` are among
    /// them.
    static var keys: [ModelKey] { get }
    /// What has to hold between them.
    static var rules: [ModelRule] { get }
    /// Keys that do nothing because of what others say.
    static var idleKeys: [IdleModelKey] { get }
    /// The key that sequences and slices are multiples of; nil: they may have any length.
    static var sliceKey: String? { get }
    /// Forms in which other programs keep its models.
    static var foreignForms: [ForeignForm] { get }
    /// How its published code keeps a model; nil: as ours is, or there is none.
    static var officialForm: OfficialForm? { get }
    /// The kinds of work that a breakdown of its steps lists, in this order.
    static var workKinds: [WorkKind] { get }
    /// A model by which the project measures itself; nil: the architecture has none of this size.
    static func benchmark(_ size: BenchmarkSize) -> Self?
    /// The cases of a file of golden data.
    ///
    /// - Parameter companion: opens another file of the same folder
    /// - Throws: `VerificationError` for a file that the architecture doesn't know
    static func goldenCases(
        of file: any GoldenSource, companion: @escaping (_ name: String) throws -> any GoldenSource,
        matrices: any MatrixProducts
    ) throws -> [GoldenCase]

    init()

    /// Settles what keys leave open.
    mutating func resolve(for text: TextNeeds)

    /// Layers between the embedding and the output layer: what is shared out among stages.
    var layers: Int { get }
    /// After so many layers they are alike again in all but their names and first values.
    var layerPeriod: Int { get }
    /// D: features of an activation between blocks.
    var dim: Int { get }
    /// V: token numbers lie below it, and the output layer has as many logits.
    var vocabulary: Int { get }
    /// What matrix products are computed in.
    var precision: Precision { get set }
    /// The key that says how long sequences may be, and how long that is; nil: any length.
    var longestSequence: (key: String, tokens: Int)? { get }
    /// Sequences and slices are multiples of so many tokens.
    var sliceMultiple: Int { get }
    /// Whether training draws dropout masks.
    var drops: Bool { get }
    /// What rows of the embedding are multiplied by.
    var embeddingScale: Double { get }
    /// What of a stream's state isn't floating point.
    var cursor: CursorForm { get }
    /// "4 layers, dim 192, chunk 128": the sizes that tell models apart at a glance.
    var summary: String { get }
    /// All sizes, in the letters of the architecture's paper.
    var sizes: String { get }

    func describe(_ part: ModelPart) -> BlockDescription

    /// Every matrix product that a layer and the output layer compute for a slice, forward and backward: what engines
    /// are compared by.
    func products(tokens: Int) -> [ModelProduct]

    /// The live blocks of consecutive parts.
    func makeBlocks(_ parts: [ModelPart]) -> [any Block]
    /// What the blocks of one rank share of a slice, still without one.
    func makeSlice() -> any SharedSlice
}

extension Architecture {
    package static var rules: [ModelRule] { [] }
    package static var idleKeys: [IdleModelKey] { [] }
    package static var sliceKey: String? { nil }
    package static var foreignForms: [ForeignForm] { [] }
    package static var officialForm: OfficialForm? { nil }
    package static var workKinds: [WorkKind] {
        [
            WorkKind(.gemm, "GEMM", isProducts: true), WorkKind(.elementwise, "elementwise"),
            WorkKind(.optimizer, "optimizer"), WorkKind(.communication, "communication"),
        ]
    }
    package static func benchmark(_ size: BenchmarkSize) -> Self? { nil }
    package static func goldenCases(
        of file: any GoldenSource, companion: @escaping (_ name: String) throws -> any GoldenSource,
        matrices: any MatrixProducts
    ) throws -> [GoldenCase] {
        throw VerificationError("\(file.name): the architecture \(name) has no golden cases")
    }

    package func products(tokens: Int) -> [ModelProduct] { [] }

    package var layerPeriod: Int { 1 }
    package var longestSequence: (key: String, tokens: Int)? { nil }
    package var sliceMultiple: Int { 1 }
    package var drops: Bool { false }
    package var embeddingScale: Double { 1 }

    /// All parts of the model, in order.
    package var parts: [ModelPart] { parts(layers: 0..<layers) }

    /// Consecutive layers, with the embedding before the first one and the output layer behind the last.
    package func parts(layers range: Range<Int>) -> [ModelPart] {
        (range.lowerBound == 0 ? [.embedding] : []) + range.map { .layer($0) }
            + (range.upperBound == layers ? [.output] : [])
    }

    /// Layers of every kind that there is.
    package var layerKinds: [BlockDescription] { (0..<min(layers, layerPeriod)).map { describe(.layer($0)) } }

    /// Parameters but for the matrices of the embedding and the output layer, which have a row for each token number:
    /// what models are compared at.
    package var parametersWithoutEmbeddings: Int {
        parts.reduce(0) { sum, part in
            let own = describe(part).parameters.filter { spec in
                switch part {
                case .embedding: false
                case .layer: true
                case .output: spec.shape.count < 2
                }
            }
            return sum + own.filter { $0.copyOf == nil }.reduce(0) { $0 + $1.count }
        }
    }

    /// Matrix flops of a token's forward, the mean of a sequence's.
    package func meanForwardFlops(sequence: Int, before: Int = 0) -> Double {
        parts.reduce(0) { $0 + describe($1).meanForwardFlops(sequence: sequence, before: before) }
    }

    /// Parameters of the whole model.
    package var parameterCount: Int {
        parts.lazy.flatMap { describe($0).parameters }.filter { $0.copyOf == nil }.reduce(0) { $0 + $1.count }
    }
}

/// A part of a model that isn't divided among stages.
package enum ModelPart: Sendable, Hashable {
    case embedding
    case layer(Int)
    case output
}

/// What the text asks of a model.
package struct TextNeeds: Sendable {
    /// Token numbers lie below it.
    package let vocabulary: Int
    /// The token that begins a document; nil: documents aren't told apart.
    package let documentMark: Int32?

    package init(vocabulary: Int, documentMark: Int32?) {
        self.vocabulary = vocabulary
        self.documentMark = documentMark
    }
}

/// The sizes in which an architecture is measured, from 2 to 100 million parameters.
package enum BenchmarkSize: String, CaseIterable, Sendable {
    case XS, S, L
}
