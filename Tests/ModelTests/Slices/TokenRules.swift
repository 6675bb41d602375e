/// GECKO.md's rules for one stream, token by token, from the whole stream's documents. B are the chunks before its own
/// that a token sees: 1, or 0 where it sees its own only.
struct TokenRules {
    let stream: RandomStream
    private let documents: [Int]

    init(_ stream: RandomStream) {
        self.stream = stream
        documents = stream.documents
    }

    private var C: Int { stream.chunk }
    private var B: Int { stream.chunks - 1 }

    /// Keys from (c - B) C on, up to the token, of its own document.
    func keys(of i: Int) -> [Int] {
        (0...i).filter { $0 >= (i / C - B) * C && documents[$0] == documents[i] }
    }

    /// The document of the memory that has absorbed chunks 0...c: that of the last token of chunk c; nil while nothing
    /// is absorbed.
    func owner(afterChunk c: Int) -> Int? { c < 0 ? nil : documents[(c + 1) * C - 1] }

    /// Token i of chunk c reads the memory that has absorbed chunks 0..c-B-1, if that is of its document.
    func reads(_ i: Int) -> Bool { owner(afterChunk: i / C - B - 1) == documents[i] }

    /// Tokens absorbed at the instant chunk c completes: those of chunk c - B that are of the owner's document.
    func absorbed(whenChunkCompletes c: Int) -> [Int] {
        c < B ? [] : ((c - B) * C..<(c - B + 1) * C).filter { documents[$0] == owner(afterChunk: c - B) }
    }

    /// Whether the memory changes its owner when chunk c completes.
    func wipes(whenChunkCompletes c: Int) -> Bool { owner(afterChunk: c - B) != owner(afterChunk: c - B - 1) }

    /// Tokens of i's document so far, i included.
    func count(_ i: Int) -> Int { (0...i).filter { documents[$0] == documents[i] }.count }
}
