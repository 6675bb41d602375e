import Numerics

/// An architecture whose layers and models the golden data's runner can run: what it takes from hyperparameters, and
/// how its carried state is laid out in the golden data's names.
package protocol GoldenArchitecture: Architecture {
    /// From the hyperparameters of a golden model or layer, in the reference's names.
    ///
    /// - Parameter packed: whether documents are told apart
    init(_ h: Hyperparameters, packed: Bool) throws

    /// The token that begins a document; nil: documents aren't told apart.
    var documentMark: Int32? { get }

    /// The real tensors of a part's state, or of its gradient.
    func goldenState(of part: ModelPart, _ memory: GoldenStateMemory) -> [GoldenStateTensor]

    /// The integers of a state: those of a layer under `layers.N.`, those of the model under their own names.
    ///
    /// - Parameter documents: the document numbers of all tokens of the stream so far
    func goldenNumbers(_ cursor: StreamCursor, documents: [Int32]) -> [(name: String, values: [Int32])]

    /// Where the stream of a golden layer stands.
    ///
    /// - Parameter numbers: so many of the case's integers of this name; nil where the file has none
    func goldenCursor(
        position: Int, numbers: (_ name: String, _ count: Int) throws -> [Int32]?
    ) throws -> StreamCursor

    /// Runs a case of a single operation.
    static func runGolden(
        operation: String, case name: String, of file: any GoldenSource, matrices: any MatrixProducts,
        _ report: inout CaseReport) throws
}

/// A block whose activation between its two halves golden data knows.
package protocol GoldenLayer: Block {
    /// [T, D], of the slice in `stash`.
    func middle(stash: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float>
}

/// Where the state of a block lies, or its gradient.
package struct GoldenStateMemory {
    /// Of the part that is copied from slice to slice.
    package let state: UnsafeMutablePointer<Float>
    /// The block's rows of all tokens; nil where it keeps none.
    package let prefix: UnsafeMutablePointer<Float>?
    package let shape: SliceShape
    /// Tokens so far.
    package let position: Int
    package let isGradient: Bool
}

/// A real tensor of a state in the golden data's name and layout.
package struct GoldenStateTensor {
    package let name: String
    package let count: Int
    package let read: () -> [Float]
    package let write: ([Float]) -> Void

    package init(_ name: String, count: Int, read: @escaping () -> [Float], write: @escaping ([Float]) -> Void) {
        self.name = name
        self.count = count
        self.read = read
        self.write = write
    }

    /// Of numbers that lie one behind the other.
    package init(_ name: String, _ base: UnsafeMutablePointer<Float>, count: Int) {
        self.init(name, rows: base, stride: count, count: 1, width: count)
    }

    /// Of rows `stride` apart.
    package init(_ name: String, rows base: UnsafeMutablePointer<Float>, stride: Int, count: Int, width: Int) {
        self.init(name, places: (0..<count).flatMap { row in (0..<width).map { row * stride + $0 } }, of: base)
    }

    /// Of numbers at these places, in this order.
    package init(_ name: String, places: [Int], of base: UnsafeMutablePointer<Float>) {
        self.init(name, count: places.count) {
            places.map { base[$0] }
        } write: { values in
            for (place, value) in zip(places, values) { base[place] = value }
        }
    }
}

extension GoldenArchitecture {
    /// Operations (`op_NAME`), layers (`layer_X`), models (`model_X_params` with `model_X_plain`, `_packed`, `_decode`,
    /// `_adamw`). Names, shapes and hyperparameters come from the files.
    package static func goldenCases(
        of file: any GoldenSource, companion: @escaping (_ name: String) throws -> any GoldenSource,
        matrices: any MatrixProducts
    ) throws -> [GoldenCase] {
        let stem = String(file.name.dropLast(".safetensors".count))
        if stem.hasPrefix("op_") {
            let operation = String(stem.dropFirst(3))
            return file.cases.map { name in
                GoldenCase(name: name) {
                    try runGolden(operation: operation, case: name, of: file, matrices: matrices, &$0)
                    try file.requireComplete(case: name, compared: $0.compared)
                }
            }
        }
        if stem == "layer" || stem.hasPrefix("layer_") {
            let layers = GoldenLayers<Self>(file: file, matrices: matrices)
            return file.cases.map { name in GoldenCase(name: name) { try layers.run(name, &$0) } }
        }
        let parts = stem.split(separator: "_")
        guard parts.count >= 3, parts[0] == "model" else {
            throw VerificationError(
                "\(file.name): unknown kind of golden file; names are op_NAME, layer, model_X_params, _plain, _packed, "
                    + "_decode, _adamw"
            )
        }
        let kind = parts[parts.count - 1]
        if kind == "params" { return [] }
        let parameters = parts.dropLast().joined(separator: "_") + "_params.safetensors"
        let models = GoldenModels<Self>(file: file, parameters: try companion(parameters), matrices: matrices)
        switch kind {
        case "plain", "packed":
            do {
                return try models.cuts().map { cut in GoldenCase(name: cut.name) { try models.sequence(cut, &$0) } }
            } catch {
                return [GoldenCase(name: "cuts") { _ in throw error }]
            }
        case "decode":
            return [GoldenCase(name: "greedy") { try models.decode(&$0) }]
                + (file.has("in.forced") ? [GoldenCase(name: "forced") { try models.forced(&$0) }] : [])
        case "adamw": return [GoldenCase(name: "trajectory") { try models.adamW(&$0) }]
        default: throw VerificationError("\(file.name): unknown kind '\(kind)' of a model's golden file")
        }
    }
}
