/// A word of a schedule file and where it stands; both count from 1.
struct ScheduleWord {
    let bytes: ArraySlice<UInt8>
    let line: Int
    let column: Int

    var string: String { String(decoding: bytes, as: UTF8.self) }

    /// For messages: what nobody would see is written out.
    var shown: String { string.shown }
}

/// The words of a schedule file by line; empty lines and comments (from '#' to the end of the line) are left out. Lines
/// end with a line feed, a carriage return or both; a byte order mark in front is skipped.
struct ScheduleWords {
    private(set) var lines: [[ScheduleWord]] = []
    private(set) var lineCount = 1
    /// The first NUL character, which no text has.
    private(set) var nul: (line: Int, column: Int)?

    init(_ text: String) {
        var bytes = Array(text.utf8)[...]
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        var words: [ScheduleWord] = []
        var lineStart = bytes.startIndex
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
        for offset in bytes.indices {
            let byte = bytes[offset]
            switch byte {
            case UInt8(ascii: "\r") where offset + 1 < bytes.endIndex && bytes[offset + 1] == UInt8(ascii: "\n"):
                closeWord(at: offset)
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                closeWord(at: offset)
                closeLine()
                lineCount += 1
                lineStart = offset + 1
                inComment = false
            case UInt8(ascii: " "), UInt8(ascii: "\t"), 0x0B, 0x0C:
                closeWord(at: offset)
            case UInt8(ascii: "#"):
                closeWord(at: offset)
                inComment = true
            default:
                if byte == 0, nul == nil { nul = (lineCount, offset - lineStart + 1) }
                if !inComment, wordStart == nil { wordStart = offset }
            }
        }
        closeWord(at: bytes.endIndex)
        closeLine()
    }
}
