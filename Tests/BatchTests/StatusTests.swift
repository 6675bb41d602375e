import Batch
import Foundation
import Testing
import Training

/// What status says of a run: by its folder, its lock and the queue, never by a clock.
@Suite struct StatusTests {
    /// A run's folder with some steps; gone with the test.
    final class Run {
        let path: String

        init(steps: Int = 3, of: Int = 10, name: String = UUID().uuidString) throws {
            path = FileManager.default.temporaryDirectory.appendingPathComponent("status-\(name)").path
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try write("config.toml", "[training]\nsteps = \(of)\n")
            try write("metrics.jsonl", (0..<steps).map { Self.line($0 + 1) }.joined())
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        static func line(
            _ step: Int, loss: Double = 2, speed: Double = 1000, seconds: Double = 0.5, heldOut: Double? = nil
        ) -> String {
            var metrics = StepMetrics(step: step)
            metrics.loss = loss
            metrics.tokensPerSecond = speed
            metrics.gradientNorm = 1
            metrics.learningRate = 0.1
            metrics.utilisation = 0.5
            metrics.seconds = seconds
            metrics.tokens = 500
            metrics.heldOutLoss = heldOut
            return metrics.json + "\n"
        }

        func write(_ name: String, _ text: String) throws {
            try text.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8)
        }

        /// Moves a file's time away from now.
        func date(_ name: String, _ seconds: Double) throws {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: seconds)], ofItemAtPath: "\(path)/\(name)")
        }

        func status(_ job: SlurmJob? = nil) throws -> RunStatus {
            var status = try RunStatus(path)
            if let job {
                status.jobNumber = job.number
                status.answer = .job(job)
            }
            return status
        }
    }

    private static func job(_ state: String, reason: String = "None", restarts: Int = 0, runTime: Int = 30) -> SlurmJob
    {
        var job = SlurmJob(
            scontrol: "JobId=7 JobState=\(state) Reason=\(reason) Restarts=\(restarts) TimeLimit=1:00:00 NodeList=n1")!
        job.runTime = runTime
        return job
    }

    @Test func whoHasTheLockTrainsAndNobodyElse() throws {
        let run = try Run()
        var lock: RunLock? = try RunLock(run.path)
        #expect(try run.status().state == "training")
        #expect(try run.status().timeLeft == 3.5)
        #expect(lock != nil)
        lock = nil
        let after = try run.status()
        #expect(after.state.hasPrefix("stopped (no process holds it); started again"), "\(after.text)")
        #expect(after.timeLeft == nil)
        #expect(after.cause == nil)
    }

    /// The lock of a process that was killed is free; its words stay.
    @Test func aKilledRunIsToldAtOnce() throws {
        let run = try Run()
        try run.write("run.lock", "process 4711 on n1, since 2026-01-01 00:00:00 +0000")
        let status = try run.status()
        #expect(
            status.state.hasPrefix("stopped (no process holds it); started again, it begins at step 0"),
            "\(status.text)")
        #expect(status.cause?.contains("process 4711 on n1") == true, "\(status.text)")
        #expect(status.timeLeft == nil)
        #expect(!status.text.contains("time left"))
    }

    @Test func looksAreNotInTheWayOfARun() throws {
        let run = try Run()
        for _ in 0..<50 {
            _ = try run.status()
            #expect(throws: Never.self) { _ = try RunLock(run.path) }
        }
        // Not even one at the same moment.
        let descriptor = open("\(run.path)/run.lock", O_RDONLY)
        defer { close(descriptor) }
        #expect(flock(descriptor, LOCK_SH) == 0)
        let looker = Thread {
            usleep(30_000)
            flock(descriptor, LOCK_UN)
        }
        looker.start()
        #expect(throws: Never.self) { _ = try RunLock(run.path) }
    }

    @Test func clocksThatDisagreeAreSaidAndBelievedInNothing() throws {
        let run = try Run()
        let lock = try RunLock(run.path)
        for ahead: Double in [3600, 86_400 * 400] {
            try run.date("metrics.jsonl", ahead)
            let status = try run.status()
            #expect(status.state == "training", "\(status.text)")
            #expect(status.text.contains("the clocks disagree"), "\(status.text)")
            #expect(!status.text.contains(" -"), "\(status.text)")
        }
        try run.date("metrics.jsonl", -7200)
        #expect(try run.status().state.hasPrefix("running, but no step for 2:00:0"))
        #expect(try run.status().timeLeft == nil)
        withExtendedLifetime(lock) {}
    }

    @Test(arguments: [
        (#"{"state":"finished","exit_code":0,"cause":""}"#, "finished, but its model", nil),
        (
            #"{"state":"stopped","exit_code":75,"cause":"SIGUSR1"}"#, "stopped by a signal, saved; started again",
            "SIGUSR1"
        ),
        (
            #"{"state":"failed","exit_code":1,"cause":"step 5: loss nan"}"#, "failed with exit code 1",
            "step 5: loss nan"
        ),
        (
            #"{"state":"failed","exit_code":69,"cause":"rank 1 waited"}"#, "failed with exit code 69; started again",
            "rank 1 waited"
        ),
        (#"{"state":"failed","exit"#, "stopped (no process holds it)", nil), ("", "stopped (no process holds it)", nil),
    ])
    func theRecordOfTheEndSaysHow(_ record: String, _ state: String, _ cause: String?) throws {
        let run = try Run()
        try run.write("end.json", record)
        let status = try run.status()
        #expect(status.state.hasPrefix(state), "\(status.text)")
        #expect(status.cause == cause)
        #expect(status.timeLeft == nil)
    }

    @Test func aModelIsTheEndUnlessTheRecordSaysOtherwise() throws {
        let run = try Run(steps: 10)
        try run.write("model.safetensors", "")
        #expect(try run.status().state == "finished")
        #expect(try run.status(Self.job("CANCELLED")).state == "finished")
        try run.write("end.json", #"{"state":"failed","exit_code":1,"cause":"not finite"}"#)
        #expect(try run.status().state.hasPrefix("failed with exit code 1"))
    }

    @Test(arguments: [
        ("PENDING", "waiting to go on", nil), ("CONFIGURING", "waiting to go on", nil),
        ("REQUEUED", "waiting to go on", nil),
        ("REQUEUE_HOLD", "held in the queue; scontrol release 7", nil), ("SUSPENDED", "suspended by Slurm", nil),
        ("COMPLETING", "ending its turn", nil),
        ("CANCELLED", "stopped (no process holds it); submitted again", "cancelled"),
        ("TIMEOUT", "stopped", "time limit"), ("NODE_FAIL", "stopped", "node"), ("OUT_OF_MEMORY", "stopped", "memory"),
        ("PREEMPTED", "stopped", "another job"), ("FAILED", "stopped", "job.log"), ("BOOT_FAIL", "stopped", "boot"),
        ("COMPLETED", "stopped", nil), ("SOMETHING_NEW", "stopped", "SOMETHING_NEW"),
    ])
    func theQueueSaysWhatComes(_ state: String, _ words: String, _ cause: String?) throws {
        let run = try Run()
        try run.date("metrics.jsonl", -7200)
        let status = try run.status(Self.job(state, reason: "Priority", restarts: 1))
        #expect(status.state.hasPrefix(words), "\(status.text)")
        #expect((status.cause == nil) == (cause == nil), "\(status.text)")
        if let cause { #expect(status.cause?.contains(cause) == true, "\(status.text)") }
        #expect(status.timeLeft == nil, "\(status.text)")
        #expect(!status.text.contains("time left"))
        if state == "PENDING" { #expect(status.text.contains("7 PENDING (Priority)")) }
    }

    @Test func aRunningJobTrainsWhereItsStepsComeOrItsLockIsHeld() throws {
        let run = try Run()
        // On a node whose locks can't be seen from here.
        #expect(try run.status(Self.job("RUNNING")).state == "training")
        #expect(try run.status(Self.job("RUNNING")).timeLeft == 3.5)
        try run.date("metrics.jsonl", -7200)
        #expect(try run.status(Self.job("RUNNING", runTime: 10)).state.hasPrefix("starting"))
        #expect(try run.status(Self.job("RUNNING", runTime: 4000)).state.hasPrefix("the job runs, but no process"))
        let lock = try RunLock(run.path)
        #expect(try run.status(Self.job("RUNNING")).state.hasPrefix("running, but no step"))
        withExtendedLifetime(lock) {}
        #expect(try Run(steps: 0).status(Self.job("PENDING")).state == "waiting to begin")
    }

    @Test func slurmThatSaysNothingIsNoReasonToSayNothing() throws {
        let run = try Run()
        var status = try run.status()
        status.jobNumber = "7"
        for (answer, words) in [
            (SlurmAnswer.unknown, "7, which Slurm doesn't know (any more)"), (.noSlurm, "no Slurm here"),
            (.silent("Unable to contact"), "gives no answer: Unable to contact"),
        ] {
            status.answer = answer
            #expect(status.text.contains(words), "\(status.text)")
            #expect(status.state.hasPrefix("stopped (no process holds it)"))
        }
    }

    /// A gigabyte of metrics is answered as fast as a page.
    @Test func onlyTheEndOfTheMetricsIsRead() throws {
        let run = try Run(steps: 0, of: 5000)
        let file = try #require(FileHandle(forWritingAtPath: run.path + "/metrics.jsonl"))
        try file.truncate(atOffset: 3 << 30)
        try file.seekToEnd()
        let lines =
            "\n" + Run.line(3000, heldOut: 1.5) + (3001...4000).map { Run.line($0) }.joined()
            + #"{"step":4001,"loss":2."#
        try file.write(contentsOf: Data(lines.utf8))
        try file.close()
        let start = ContinuousClock.now
        let status = try run.status()
        #expect(ContinuousClock.now - start < .seconds(5))
        #expect(status.recent.map(\.step) == Array(3981...4000))
        #expect(status.heldOut?.step == 3000)
        #expect(status.text.contains("step        4000 of 5000 (80 %)"), "\(status.text)")
    }

    @Test(arguments: [
        "", "\n\n", "{\"step\":1", "not json\n", "\0\0\0\n\u{FF}\n", "{\"step\":9223372036854775807}\n[1,2]\nnull\n",
        Run.line(4, loss: .nan, speed: 1e308, seconds: 1e308), Run.line(.max / 1000, speed: -1, seconds: -1),
        Run.line(4, speed: .nan, seconds: .nan),
    ])
    func metricsOfAnyKindAreSurvived(_ metrics: String) throws {
        let run = try Run()
        try run.write("metrics.jsonl", metrics)
        let lock = try RunLock(run.path)
        let text = try run.status().text
        #expect(text.contains("state       "), "\(text)")
        #expect(!text.contains("nan") && !text.contains("inf"), "\(text)")
        withExtendedLifetime(lock) {}
    }

    @Test func aFolderThatIsHalfThereIsDescribedAsFarAsItGoes() throws {
        let run = try Run()
        try run.write("config.toml", "[train")
        try FileManager.default.removeItem(atPath: run.path + "/metrics.jsonl")
        try FileManager.default.createDirectory(atPath: run.path + "/metrics.jsonl", withIntermediateDirectories: true)
        let status = try run.status()
        #expect(status.state == "not begun", "\(status.text)")
        #expect(status.text.contains("unreadable  "), "\(status.text)")
        try run.write("job.id", "7; rm -rf\nx")
        #expect(try run.status().jobNumber == nil)
        #expect(throws: BatchError.self) { try RunStatus(run.path + "/nowhere") }
        #expect(throws: BatchError.self) { try RunStatus(run.path, job: "all") }
    }
}
