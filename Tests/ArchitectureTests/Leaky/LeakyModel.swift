import Glibc
import Model
import Numerics
import Synchronization

/// An architecture that lives in the tests alone, as small as one can be: layers that are a leaky average of what has
/// been (a recurrent state) and layers that are a map of each token by itself, in turns. All sums are formed token by
/// token, so that even the length of slices doesn't show in a single bit.
struct LeakyModel: Architecture {
    static let name = "leaky"
    static let keys: [ModelKey] = [
        .integer("layers", \Self.layers, .atLeast(1, atMost: 1 << 10), "Layers: an average and a map in turns."),
        .integer("width", \Self.dim, .atLeast(1, atMost: 1 << 12), "Features of a token."),
        .integer(
            "vocabulary", \Self.vocabulary, .atLeast(0, atMost: 1 << 20), "Tokens; 0 = as many as the text needs."),
        .number("leak", \Self.leak, .decay, "What an average keeps of itself from token to token, at first."),
        .boolean("tie", \Self.ties, "The output matrix is the embedding."),
        .boolean("means", \Self.hasMeans, "Every third layer is a mean of all tokens so far."),
    ]
    static let rules = [
        ModelRule { (m: Self) in
            m.dim != 13
        } problem: { _, quote in
            "\(quote("width")) brings bad luck"
        } advice: { _ in
            ["set model.width to 12"]
        }
    ]

    var layers = 4
    var dim = 12
    var vocabulary = 0
    var precision = Precision.f32
    var leak = 0.9
    var ties = false
    var hasMeans = false
    /// The token that begins a document.
    var mark: Int32?
    /// Counts the live blocks that are made.
    var counter: Counter?

    final class Counter: Sendable {
        private let made = Atomic<Int>(0)
        var count: Int { made.load(ordering: .relaxed) }
        func add(_ blocks: Int) { made.add(blocks, ordering: .relaxed) }
    }

    mutating func resolve(for text: TextNeeds) {
        if vocabulary == 0 { vocabulary = text.vocabulary }
        mark = text.documentMark
    }

    var layerPeriod: Int { hasMeans ? 3 : 2 }
    var cursor: CursorForm { LeakySlice.form }
    var summary: String { "\(layers) layers of \(dim)" }
    var sizes: String { summary }

    func describe(_ part: ModelPart) -> BlockDescription {
        switch part {
        case .embedding: LeakyEmbedding.description(self)
        case .layer(let i):
            switch i % layerPeriod {
            case 0: LeakyAverage.description(self, layer: i)
            case 1: LeakyMap.description(self, layer: i)
            default: LeakyMean.description(self, layer: i)
            }
        case .output: LeakyOutput.description(self)
        }
    }

    func makeBlocks(_ parts: [ModelPart]) -> [any Block] {
        counter?.add(parts.count)
        return parts.map { part in
            switch part {
            case .embedding: LeakyEmbedding(self)
            case .layer(let i):
                switch i % layerPeriod {
                case 0: LeakyAverage(self, layer: i)
                case 1: LeakyMap(self, layer: i)
                default: LeakyMean(self, layer: i)
                }
            case .output: LeakyOutput(self)
            }
        }
    }

    func makeSlice() -> any SharedSlice { LeakySlice(mark: mark) }
}

/// Which tokens of a slice start a document, and each token's number within its own.
final class LeakySlice: SharedSlice {
    /// The number is the latest document's tokens so far.
    static let form = CursorForm(start: StreamCursor(numbers: [0]))

    private(set) var start = 0
    private(set) var length = 0
    private(set) var exit = LeakySlice.form.start
    private(set) var restarts: [Bool] = []
    private(set) var counts: [Int] = []
    private let mark: Int32?

    init(mark: Int32?) { self.mark = mark }

    func move(to cursor: StreamCursor, length: Int, tokens: UnsafePointer<Int32>) {
        start = cursor.position
        self.length = length
        restarts.removeAll(keepingCapacity: true)
        counts.removeAll(keepingCapacity: true)
        var count = cursor.numbers[0]
        for t in 0..<length {
            let restarts = tokens[t] == mark
            if restarts { count = 0 }
            count += 1
            self.restarts.append(restarts)
            counts.append(count)
        }
        exit.position = start + length
        exit.numbers[0] = count
    }
}

extension SliceContext {
    var leaky: LeakySlice { slice as! LeakySlice }
}
