/// A word of a schedule file and where it stands; both count from 1.
struct ScheduleWord {
    let bytes: ArraySlice<UInt8>
    let line: Int
    let column: Int

    var string: String { String(decoding: bytes, as: UTF8.self) }
}

/// The words of a schedule file by line; empty lines and comments (from '#' to the end of the line) are left out.
struct ScheduleWords {
    private(set) var lines: [[ScheduleWord]] = []
    private(set) var lineCount = 1

    init(_ text: String) {
        let bytes = Array(text.utf8)
        var words: [ScheduleWord] = []
        var lineStart = 0
        var wordStart: Int?
        var inComment = false
        func closeWord(at end: Int) {
            guard let start = wordStart else { return }
            words.append(ScheduleWord(bytes: bytes[start..<end], line: lineCount, column: start - lineStart + 1))
            wordStart = nil
        }
        func closeLine() {
            if !words.isEmpty { lines.append(words) }
            words = []
        }
        for (offset, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "\n"):
                closeWord(at: offset)
                closeLine()
                lineCount += 1
                lineStart = offset + 1
                inComment = false
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
                closeWord(at: offset)
            case UInt8(ascii: "#"):
                closeWord(at: offset)
                inComment = true
            default:
                if !inComment, wordStart == nil { wordStart = offset }
            }
        }
        closeWord(at: bytes.count)
        closeLine()
    }
}
