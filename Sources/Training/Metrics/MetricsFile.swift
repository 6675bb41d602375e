import Checkpoints
import Files
import Foundation

/// `metrics.jsonl` as it lies on the disk, of whatever length. Its lines are in the order of their steps, so one is
/// found without reading those before it; what is no line of metrics, such as one cut off by a crash, is passed over.
package final class MetricsFile {
    private let path: String
    private let descriptor: Int32
    package let size: Int

    /// Read at a time: some twenty lines.
    private static let piece = 8 << 10
    /// Up to this size all lines are read, of a larger file as much, in pieces spread over it.
    private static let sampled = 2 << 20

    /// Nil where there is no such file.
    package init?(_ path: String) throws {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if descriptor < 0 {
            guard errno == ENOENT else { throw FileError.system("open it", path) }
            return nil
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileError.system("examine it", path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw FileError(path: path, operation: "read it", reason: "it is not a regular file")
        }
        size = Int(status.st_size)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    private func read(_ range: Range<Int>) throws -> [UInt8] {
        let range = range.clamped(to: 0..<size)
        var bytes = [UInt8](repeating: 0, count: range.count)
        let done = bytes.withUnsafeMutableBytes { PositionedRead.fill($0, from: descriptor, at: range.lowerBound) }
        guard let done else { throw FileError.system("read it", path) }
        return Array(bytes[..<done])
    }

    /// A whole line and the bytes it takes, its end included.
    package struct Line {
        package let metrics: StepMetrics
        let range: Range<Int>
    }

    /// The first line that begins in `range`.
    private func firstLine(in range: Range<Int>) throws -> Line? {
        // From the byte before: a line begins behind another's end.
        var start = max(0, range.lowerBound - 1)
        var isLineStart = range.lowerBound == 0
        var length = Self.piece
        while start < range.upperBound {
            let bytes = try read(start..<min(size, start + length))
            var at = 0
            while let end = bytes[at...].firstIndex(of: UInt8(ascii: "\n")) {
                if isLineStart, let metrics = StepMetrics(json: Array(bytes[at..<end])) {
                    return Line(metrics: metrics, range: start + at..<start + end + 1)
                }
                isLineStart = true
                at = end + 1
                guard start + at < range.upperBound else { return nil }
            }
            guard !bytes.isEmpty, start + bytes.count < size else { return nil }
            if at == 0 {
                // No end in sight: a longer line, or none at all.
                length *= 2
                if length > 1 << 20 { (start, length, isLineStart) = (start + bytes.count, Self.piece, false) }
            } else {
                (start, length) = (start + at, Self.piece)
            }
        }
        return nil
    }

    /// Where the lines up to this step end.
    package func end(after step: Int) throws -> Int {
        var (low, high) = (0, size)
        while low < high {
            let middle = (low + high) / 2
            guard let line = try firstLine(in: middle..<high), line.metrics.step <= step else {
                high = middle
                continue
            }
            low = line.range.upperBound
        }
        return low
    }

    /// The whole lines in a stretch of the file.
    private func lines(in range: Range<Int>) throws -> [StepMetrics] {
        let start = max(0, range.lowerBound - 1)
        let bytes = try read(start..<range.upperBound)
        var pieces = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if range.lowerBound > 0 { pieces = Array(pieces.dropFirst()) }
        // What follows the last end is cut off, but for the file's own end: a line that can be read there is whole.
        if range.upperBound < size { pieces.removeLast() }
        return pieces.compactMap { StepMetrics(json: Array($0)) }
    }

    /// Lines up to `end` in their order: all of them, or of a long file some from everywhere, the last ones among them.
    package func sample(upTo end: Int) throws -> [StepMetrics] {
        if end <= Self.sampled { return try lines(in: 0..<end) }
        let pieces = Self.sampled / Self.piece
        var all: [StepMetrics] = []
        for i in 0..<pieces {
            let start = (end - Self.piece) / (pieces - 1) * i
            all += try lines(in: start..<(i == pieces - 1 ? end : start + Self.piece))
        }
        return all
    }

    /// Steps of a long file that ended with an evaluation, some from everywhere, found by how often there is one.
    package func evaluations(every: Int, upTo end: Int) throws -> [StepMetrics] {
        guard every > 0, let last = try lines(in: max(0, end - Self.piece)..<end).last else { return [] }
        let count = last.step / every
        let chosen = Set((1...200).map { count * $0 / 200 }).subtracting([0]).sorted()
        return try chosen.compactMap { try find($0 * every, upTo: end, last: last.step) }.filter {
            $0.heldOutLoss != nil
        }
    }

    /// A step's line, looked for where it should be.
    private func find(_ step: Int, upTo end: Int, last: Int) throws -> StepMetrics? {
        let length = Double(end) / Double(max(1, last))
        var guess = Double(step) * length - Double(Self.piece) / 2
        for _ in 0..<8 {
            let start = Int(min(max(0, guess), Double(max(0, end - Self.piece))))
            let found = try lines(in: start..<min(end, start + Self.piece))
            if let line = found.first(where: { $0.step == step }) { return line }
            guard let first = found.first, let final = found.last, !(first.step < step && step < final.step) else {
                return nil
            }
            guess = Double(start) + Double(step - (first.step + final.step) / 2) * length
        }
        return nil
    }

    /// The last lines, oldest first; the newest may be half written, and is left out then.
    package func last(_ count: Int) throws -> [StepMetrics] {
        var length = count * 512
        while true {
            let found = try lines(in: max(0, size - length)..<size)
            if found.count >= count || length >= min(size, 16 << 20) { return Array(found.suffix(count)) }
            length *= 2
        }
    }

    /// The newest line with an evaluation, looked for in the last 8 MiB: some 25,000 steps.
    package func lastEvaluation() throws -> StepMetrics? {
        let mark = Data("\"held_out_loss\"".utf8)
        let block = 1 << 20
        // Blocks overlap, so that no line lies between two.
        for end in stride(from: size, to: max(0, size - (8 << 20)), by: -(block - Self.piece)) {
            let range = max(0, end - block)..<end
            guard Data(try read(range)).range(of: mark) != nil else { continue }
            if let line = try lines(in: range).last(where: { $0.heldOutLoss != nil }) { return line }
        }
        return nil
    }
}
