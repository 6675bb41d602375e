import Foundation
import TestSupport
import Testing

/// What README and docs say that commands print and draw, held against what they print and draw now.
///
/// A line `<!-- prints: COMMAND -->` in a page makes the fenced block or the table behind it checked; `<!-- draws FILE:
/// COMMAND -->` the picture. COMMAND is `gecko ...`, or `bash ...` of a script, run in the package's folder; its output
/// must be the same every time.
///
/// After a change: `GECKO_WRITE_PAGES=1 swift test --filter PrintedPagesTests` writes what they print now.
@Suite struct PrintedPagesTests {
    private static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    private static let isWriting = ProcessInfo.processInfo.environment["GECKO_WRITE_PAGES"] != nil

    static let pages: [String] = {
        let docs = (try? FileManager.default.contentsOfDirectory(atPath: package.path + "/docs")) ?? []
        return ["README.md"] + docs.filter { $0.hasSuffix(".md") }.sorted().map { "docs/" + $0 }
    }()

    private static func run(_ command: String, _ further: [String] = []) throws -> String {
        let gecko = Mpirun.programs.appendingPathComponent("gecko").path
        let words = command.split(separator: " ").map(String.init)
        let program = words[0] == "gecko" ? gecko : words[0]
        let outcome = try runProgram(
            "/bin/bash", ["-c", "cd \"$0\" && exec \"$@\"", package.path, program] + words.dropFirst() + further,
            environment: ["GECKO": gecko])
        #expect(outcome.passed, "\(command): \(outcome.output)")
        return outcome.output
    }

    /// The text between `<!-- KIND ` and ` -->`.
    private static func mark(_ kind: String, in line: String) -> String? {
        guard line.hasPrefix("<!-- \(kind)"), line.hasSuffix(" -->") else { return nil }
        return String(line.dropFirst(5 + kind.count).dropLast(4)).trimmingCharacters(in: .whitespaces)
    }

    private static func trimmed(_ lines: some Sequence<String>) -> [String] {
        var lines = lines.map { line in String(line.reversed().drop { $0 == " " }.reversed()) }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    /// The lines of the block behind a mark: inside its fence, or a table with the blank lines in it.
    private static func block(after mark: Int, in lines: [String]) -> Range<Int> {
        let first = mark + 1
        if lines[first].hasPrefix("```") {
            return first + 1..<(lines[(first + 1)...].firstIndex { $0.hasPrefix("```") } ?? lines.count)
        }
        var end = first
        while end < lines.count {
            let isInside =
                lines[end].hasPrefix("|")
                || lines[end].isEmpty && end + 1 < lines.count && lines[end + 1].hasPrefix("|")
            guard isInside else { break }
            end += 1
        }
        return first..<end
    }

    @Test("what pages show of a command's output is what it prints", arguments: pages)
    func prints(page: String) throws {
        let url = Self.package.appendingPathComponent(page)
        var lines = try String(contentsOf: url, encoding: .utf8).components(separatedBy: "\n")
        for index in lines.indices.reversed() {
            guard let command = Self.mark("prints:", in: lines[index]) else { continue }
            let block = Self.block(after: index, in: lines)
            let printed = Self.trimmed(try Self.run(command).components(separatedBy: "\n"))
            if Self.isWriting {
                lines.replaceSubrange(block, with: printed)
            } else {
                #expect(Self.trimmed(lines[block]) == printed, "\(page): \(command)")
            }
        }
        if Self.isWriting { try lines.joined(separator: "\n").write(to: url, atomically: true, encoding: .utf8) }
    }

    @Test("pictures of pages are what their command draws", arguments: pages)
    func draws(page: String) throws {
        let space = try Workspace()
        let url = Self.package.appendingPathComponent(page)
        for line in try String(contentsOf: url, encoding: .utf8).components(separatedBy: "\n") {
            guard let mark = Self.mark("draws", in: line), let colon = mark.firstIndex(of: ":") else { continue }
            let picture = url.deletingLastPathComponent().appendingPathComponent(String(mark[..<colon]))
            let drawn = space.path + "/drawn.svg"
            _ = try Self.run(String(mark[mark.index(after: colon)...]), ["--no-draw", "--svg", drawn])
            let text = try String(contentsOfFile: drawn, encoding: .utf8)
            if Self.isWriting { try text.write(to: picture, atomically: true, encoding: .utf8) }
            #expect(try String(contentsOf: picture, encoding: .utf8) == text, "\(page): \(mark)")
        }
    }

    @Test("there are pages with marks, so that the checks check something")
    func marks() throws {
        let text = try Self.pages.map {
            try String(contentsOf: Self.package.appendingPathComponent($0), encoding: .utf8)
        }
        .joined(separator: "\n")
        let lines = text.components(separatedBy: "\n")
        #expect(lines.filter { Self.mark("prints:", in: $0) != nil }.count >= 5)
        #expect(lines.filter { Self.mark("draws", in: $0) != nil }.count >= 8)
    }
}
