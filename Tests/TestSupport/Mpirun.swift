import Foundation
import MPI

/// Runs programs of this package under a fresh launcher of MPI (`Launchers`): several ranks on however few cores,
/// nothing inherited from a launcher that may have started the tests.
package enum Mpirun {
    package struct Outcome: Sendable {
        /// 128 and more: ended by a signal.
        package let exitCode: Int32
        /// What the ranks wrote, standard output and standard error together.
        package let output: String
        package let seconds: Double
        /// Whether it had to be ended.
        package let timedOut: Bool
    }

    /// The folder with the built programs: the tests' own.
    package static var programs: URL {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    }

    /// Runs `program`, of this package or by its absolute path, on `ranks` ranks; with 0 ranks without mpirun. It (or
    /// mpirun) gets `signals` after so many seconds each; after `limit` seconds it is ended.
    ///
    /// One at a time: runs that share the cores would only slow each other down.
    ///
    /// - Parameter library: whose launcher it is
    package static func run(
        _ program: String, _ arguments: [String] = [], ranks: Int, environment: [String: String] = [:],
        limit: Double = 60, signals: [(after: Double, number: Int32)] = [], library: MPILibrary = .current
    ) async throws -> Outcome {
        let launcher = ranks > 0 ? try Launchers.command(of: library, ranks: ranks) : []
        return try await turn.run {
            try await start(launcher, program, arguments, environment: environment, limit: limit, signals: signals)
        }
    }

    private static let turn = Turn()

    private static func start(
        _ launcher: [String], _ program: String, _ arguments: [String], environment: [String: String],
        limit: Double, signals: [(after: Double, number: Int32)]
    ) async throws -> Outcome {
        let path = program.hasPrefix("/") ? program : programs.appendingPathComponent(program).path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw CocoaError(.fileNoSuchFile, userInfo: [NSFilePathErrorKey: path])
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        // Whoever runs the tests may ignore some, as nohup does.
        let defaults = ["--default-signal=HUP,XCPU,USR2,PIPE"]
        process.arguments = defaults + launcher + [path] + arguments
        process.environment = Launchers.clean(ProcessInfo.processInfo.environment).merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        // A file takes any amount of output without somebody reading it meanwhile.
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("mpirun-\(UUID().uuidString).txt")
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let output = try FileHandle(forWritingTo: file)
        process.standardOutput = output
        process.standardError = output

        let (seconds, timedOut) = try await end(of: process, limit: limit, signals: signals)
        try output.close()
        let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        var code = process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0)
        if !launcher.isEmpty { code = Launchers.exitCode(code, of: launcher[0]) }
        return Outcome(exitCode: code, output: text, seconds: seconds, timedOut: timedOut)
    }

    /// Starts the process; how long it ran, and whether it had to be ended.
    ///
    /// All that looks at the clock is on threads of its own: Swift's pool may be full of other tests for a minute.
    private static func end(
        of process: Process, limit: Double, signals: [(after: Double, number: Int32)]
    ) async throws -> (seconds: Double, timedOut: Bool) {
        let (ends, continuation) = AsyncStream.makeStream(of: ContinuousClock.Instant.self)
        process.terminationHandler = { _ in
            continuation.yield(.now)
            continuation.finish()
        }
        let start = ContinuousClock.now
        try runWithSignals(process)
        let timers = DispatchQueue(label: "mpirun-timers")
        func send(_ signal: Int32, after seconds: Double) -> DispatchWorkItem {
            let item = DispatchWorkItem { if process.isRunning { kill(process.processIdentifier, signal) } }
            timers.asyncAfter(deadline: .now() + seconds, execute: item)
            return item
        }
        // mpirun passes SIGTERM on to the ranks; when it can't, it is killed.
        let items =
            signals.map { send($0.number, after: $0.after) }
            + [send(SIGTERM, after: limit), send(SIGKILL, after: limit + 5)]
        var end = start
        for await instant in ends { end = instant }
        for item in items { item.cancel() }
        return ((end - start) / .seconds(1), end - start >= .seconds(limit))
    }

    /// Threads of Swift's pool block signals, and a process inherits that from the thread that starts it: mpirun could
    /// not be ended, nor end its ranks.
    private static func runWithSignals(_ process: Process) throws {
        var none = sigset_t()
        var before = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try process.run()
    }
}

/// Lets one task after the other in.
private actor Turn {
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func run<Result: Sendable>(_ body: @Sendable () async throws -> Result) async rethrows -> Result {
        if isTaken { await withCheckedContinuation { waiting.append($0) } }
        isTaken = true
        defer {
            // The turn passes straight to the next, so that nobody slips in between.
            if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
        }
        return try await body()
    }
}
