import Checkpoints
import Files
import Foundation
import Testing
import Training

@Suite struct RunDirectoryTests {
    @Test func `names come from the configuration file or the time`() {
        let now = Date(timeIntervalSince1970: 1_750_000_000)
        #expect(
            RunDirectory.resolve("runs/{name}", configurationFile: "jobs/quick.start.toml", now: now)
                == "runs/quick.start")
        let time = RunDirectory.resolve("{time}", configurationFile: nil, now: now)
        #expect(time.wholeMatch(of: /2025-06-1[45]-\d{6}/) != nil)
        #expect(RunDirectory.resolve("runs/{name}", configurationFile: nil, now: now) == "runs/\(time)")
        #expect(RunDirectory.resolve("fixed", configurationFile: "a.toml", now: now) == "fixed")
    }

    @Test func `a folder is made with those above it; one that holds a run is refused or emptied of it`() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("runs/a/b")
        let run = try RunDirectory(creating: path, overwrite: false)
        #expect(run.metrics == "\(path)/metrics.jsonl")
        _ = try folder.write("runs/a/b/notes.txt", "mine".utf8)
        #expect(throws: Never.self) { try RunDirectory(creating: path, overwrite: false) }

        _ = try folder.write("runs/a/b/metrics.jsonl", "{}".utf8)
        let error = #expect(throws: FileError.self) { try RunDirectory(creating: path, overwrite: false) }
        #expect(error?.description.contains("already holds one") == true)
        #expect(error?.description.contains("run.overwrite") == true)
        #expect(FileManager.default.fileExists(atPath: run.metrics))

        _ = try RunDirectory(creating: path, overwrite: true)
        #expect(!FileManager.default.fileExists(atPath: run.metrics))
        #expect(FileManager.default.fileExists(atPath: "\(path)/notes.txt"))

        // A log alone, perhaps where the shell sends the output, is no run and stays.
        _ = try folder.write("runs/a/b/train.log", "mine".utf8)
        _ = try RunDirectory(creating: path, overwrite: false)
        #expect(FileManager.default.fileExists(atPath: run.log))
    }

    @Test func `a folder that cannot be made is named with the reason`() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("file", "".utf8)
        for path in [file, "\(file)/run"] {
            let error = #expect(throws: FileError.self) { try RunDirectory(creating: path, overwrite: true) }
            #expect(error?.description.hasPrefix("\(path): cannot make the run's folder: ") == true)
            #expect(error?.reason.isEmpty == false)
        }
    }
}
