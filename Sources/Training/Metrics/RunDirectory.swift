import Checkpoints
import Files
import Foundation

/// The folder of a run and the names of what it holds.
package struct RunDirectory: Sendable, Equatable {
    package let path: String

    package var configuration: String { file("config.toml") }
    package var metrics: String { file("metrics.jsonl") }
    package var lossCurve: String { file("loss.svg") }
    /// The newest evaluation's loss over the positions of a sequence (`PositionLosses`).
    package var positions: String { file("positions.json") }
    package var timeline: String { file("timeline.svg") }
    package var trace: String { file("trace.json") }
    /// The schedule's table in its text form.
    package var schedule: String { file("schedule.txt") }
    /// What the traced steps cost, in the simulator's form.
    package var costs: String { file("costs.json") }
    package var parameters: String { file("model.safetensors") }
    /// What the expected memory is made of.
    package var memory: String { file("memory.txt") }
    /// The size and SHA-256 of each file of the text.
    package var corpus: String { file("corpus.sha256") }
    /// What the run has said, each line with its time.
    package var log: String { file("train.log") }
    /// Who the run is (`RunIdentity`).
    package var identity: String { file("run.id") }

    /// The configuration to start with, of a run whose model was imported with its own description.
    package var imported: String { file("run.toml") }

    /// Files by which a run is known.
    private var results: [String] {
        [configuration, metrics, lossCurve, timeline, trace, schedule, costs, parameters]
    }

    /// All files that a run makes in its folder; an overwritten run loses them and nothing else.
    var files: [String] { results + [positions, log, corpus, memory] }

    private func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Without touching anything.
    package init(_ path: String) { self.path = path }

    /// Whether a run has begun here.
    package var holdsRun: Bool { results.contains { FileIdentity($0) != nil } }

    /// Whether a run has come to its end here: the model is the last that it writes.
    package var isFinished: Bool { FileIdentity(parameters) != nil }

    /// The folder for a new run, made with all folders above it. One rank calls this.
    /// - Parameter overwrite: remove the run that the folder holds.
    /// - Throws: `FileError` if it holds a run already or cannot be made.
    package init(creating path: String, overwrite: Bool) throws {
        try self.init(continuing: path)
        guard overwrite || !holdsRun else {
            throw FileError(
                path: path, operation: "start a run in this folder",
                reason: "it already holds one; give another run.directory, or set run.overwrite to true to replace it")
        }
        guard overwrite else { return }
        for file in files where file != log || !isConsole(log) {
            guard unlink(file) == 0 || errno == ENOENT else {
                throw FileError.system("remove the old run's file", file)
            }
        }
    }

    /// Whether standard output or error goes into this very file.
    func isConsole(_ file: String) -> Bool {
        Folder.areSame(file, "/dev/stdout") || Folder.areSame(file, "/dev/stderr")
    }

    /// The folder with whatever it holds; made with all folders above it where it is missing.
    package init(continuing path: String) throws {
        self.path = path
        do {
            try Folder.make(path)
        } catch let error as FileError {
            let place = error.path == path ? "" : "\(error.path): "
            throw FileError(path: path, operation: "make the run's folder", reason: place + error.reason)
        }
    }

    /// The folder's path for a `run.directory` setting: `{name}` becomes the configuration file's name without its
    /// ending, or the start time where there is no file; `{time}` the start time, to the second, in local time.
    package static func resolve(_ setting: String, configurationFile: String?, now: Date) -> String {
        let stem = configurationFile.map(Self.stem).flatMap { $0.isEmpty ? nil : $0 }
        let time = PathText.holds("time", in: setting) || stem == nil ? Self.time(now) : ""
        return PathText.fill(setting, ["name": stem ?? time, "time": time])
    }

    /// Local, to the second, as a name's part.
    private static func time(_ now: Date) -> String {
        var seconds = time_t(now.timeIntervalSince1970.rounded(.down))
        var local = tm()
        localtime_r(&seconds, &local)
        return String(
            format: "%04d-%02d-%02d-%02d%02d%02d", Int(local.tm_year) + 1900, Int(local.tm_mon) + 1,
            Int(local.tm_mday), Int(local.tm_hour), Int(local.tm_min), Int(local.tm_sec))
    }

    /// Refuses a setting that names another folder at each start, to who wants to go on with a run.
    package static func checkName(_ setting: String, configurationFile: String?) throws {
        let hasTime = PathText.holds("time", in: setting)
        guard hasTime || (configurationFile == nil && PathText.holds("name", in: setting)) else { return }
        let why =
            hasTime
            ? "{time} is the time of each start"
            : "{name} is the time of each start where no configuration file has a name"
        throw ConfigurationError(
            "run.directory = \(Shown.quoted(setting)) can't be resumed: \(why), so it never names the folder of a run "
                + "that exists. Give that folder: --run.directory runs/...")
    }

    /// A file's name without its folder and its ending.
    private static func stem(_ path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
        return String(name[..<dot])
    }
}
