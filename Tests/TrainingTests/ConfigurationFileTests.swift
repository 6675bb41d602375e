import Corpora
import Foundation
import Testing
import Training

@Suite struct ConfigurationFileTests {
    private func refusal(_ bytes: [UInt8]) throws -> String {
        let folder = try TemporaryFolder()
        let file = try folder.write("a.toml", bytes)
        let error = #expect(throws: ConfigurationError.self) { try RunConfiguration.load(file: file, overrides: []) }
        return error?.description ?? ""
    }

    @Test func `files of other kinds are named for what they are`() throws {
        #expect(try refusal([0xFF, 0xFE] + Array("[\0m\0".utf8)).contains("UTF-16"))
        #expect(try refusal([0x7F, 0x45, 0x4C, 0x46, 0x80, 0xFF]).contains("not UTF-8 text"))
        #expect(try refusal(Array("[model]\0".utf8)).contains("NUL"))
        let folder = try TemporaryFolder()
        let error = #expect(throws: ConfigurationError.self) {
            try RunConfiguration.load(file: folder.file("."), overrides: [])
        }
        #expect(error?.description.contains("it is a folder") == true)
    }

    @Test func `what can't be seen in a line is told`() throws {
        #expect(try refusal(Array("[model]\nlayers\u{A0}= 3\n".utf8)).contains("U+00A0 NO-BREAK SPACE"))
        #expect(try refusal(Array("[model]\nlayers = \u{2013}3\n".utf8)).contains("U+2013 EN DASH"))
        #expect(
            try refusal(Array("[data]\npath = \u{201C}c.txt\u{201D}\n".utf8)).contains(
                "U+201C LEFT DOUBLE QUOTATION MARK"))
        #expect(try refusal(Array("[model]\r# a\rlayers = 3\r".utf8)).contains("carriage returns alone"))
        #expect(try refusal(Array("[model]\n\"layers\u{200B}\" = 3\n".utf8)).contains("U+200B ZERO WIDTH SPACE"))
        #expect(try refusal(Array("[model]\n\"d\u{456}m\" = 3\n".utf8)).contains("U+0456"))
    }

    @Test func `line ends of Windows and a mark at the beginning are read over`() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(
            "a.toml", "\u{FEFF}[model]\r\nlayers = 3\r\n[optimizer]\r\nschedule = \"wsd\"\r\n".utf8)
        let configuration = try RunConfiguration.load(file: file, overrides: [])
        #expect(configuration.gecko.layers == 3 && configuration.optimizer.schedule == .wsd)
        #expect(configuration.origins["optimizer.schedule"] != nil)
    }

    @Test func `a pipe is read once and kept`() throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { close(ends[0]) }
        let text = "[model]\nlayers = 7\n"
        #expect(write(ends[1], text, text.utf8.count) == text.utf8.count)
        close(ends[1])
        let path = "/dev/fd/\(ends[0])"
        #expect(ConfigurationFile.isStream(path))
        for _ in 0..<3 { #expect(try RunConfiguration.load(file: path, overrides: []).gecko.layers == 7) }
    }

    @Test func `paths are expanded in files and on the command line alike`() throws {
        let home = try #require(ProcessInfo.processInfo.environment["HOME"], "a home folder is needed")
        let folder = try TemporaryFolder()
        let file = try folder.write(
            "a.toml",
            """
            [data]
            path = "~/a.txt,$HOME/b.txt"
            [pipeline]
            stash_directory = "~/s"
            costs = "${HOME}/costs.json"
            schedule = "~/mine.schedule"
            [checkpoint]
            directory = "~/{run}/c"
            local_directory = "$HOME/{rank}"
            """.utf8)
        let c = try RunConfiguration.load(file: file, overrides: ["--run.directory=~/r{{1}}/"])
        #expect(c.data.path == .text("\(home)/a.txt,\(home)/b.txt"))
        #expect(c.pipeline.stashDirectory == "\(home)/s" && c.pipeline.costs == "\(home)/costs.json")
        #expect(c.pipeline.schedule == "\(home)/mine.schedule")
        #expect(c.checkpoint.directory == "\(home)/{run}/c" && c.checkpoint.localDirectory == "\(home)/{rank}")
        #expect(c.runPath == "\(home)/r{1}")
        // What rank 0 has expanded reads back the same where variables are others.
        #expect(try RunConfiguration.parse(toml: c.toml(), file: "rank 0's") == c)
    }
}
