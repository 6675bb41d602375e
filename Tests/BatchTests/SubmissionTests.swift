import Batch
import Foundation
import MPI
import Simulation
import Testing
import Training

/// What is submitted: the planner's layout, the command line's wishes, a script that survives paths with spaces.
@Suite struct SubmissionTests {
    private static let cluster = try! Cluster(
        nodes: 1, node: .init(sockets: 2, cores: 16, memory: 64e9), core: .init(gflops: 50),
        network: Link(text: "5us,25gbit"))

    private static func request(
        time: String = "1:00:00", nodes: Int = 4, warning: Int = 300, replan: Bool = false
    ) -> Submission.Request {
        Submission.Request(
            slurm: SlurmRequest(nodes: nodes, time: time, warning: warning, options: ["--account=us"]), name: nil,
            gecko: "/opt/it's here/gecko", replan: replan)
    }

    private static func submission(
        _ overrides: [String] = [], request: Submission.Request = request(), cluster: Cluster = cluster
    ) throws -> Submission {
        let standard = [
            "--data.path", "corpus.txt", "--run.directory", "runs/a b", "--data.sequence", "4096", "--training.batch",
            "8",
        ]
        return try Submission(
            request, configuration: RunConfiguration.load(file: nil, overrides: standard + overrides)
        ) { _ in cluster }
    }

    @Test func usesTheNodesAndSaysSoToSlurm() throws {
        let submission = try Self.submission()
        let candidate = try #require(submission.best).candidate
        #expect(candidate.stages * candidate.replicas == 4 * candidate.ranksPerNode)
        #expect(submission.configuration.pipeline.stages == candidate.stages)
        #expect(submission.configuration.machine.threads == candidate.threads)
        let text = submission.script.text
        #expect(text.contains("--nodes=4 --ntasks-per-node=\(candidate.ranksPerNode) "))
        #expect(text.contains("#SBATCH --time=1:00:00 --signal=B:USR1@300 --requeue"))
        #expect(text.contains("#SBATCH --account=us\n"))
        #expect(text.contains("export SLURM_PMIX_FENCE=ring"))
        #expect(text.contains("gecko='/opt/it'\\''s here/gecko'\n"))
        #expect(text.contains("\nsrun_mpi=${GECKO_SRUN_MPI:-\(MPILibrary.current.slurmPlugin)}\n"))
        #expect(text.contains("runs/a b/job.toml' --resume"))
    }

    @Test func keepsWhatTheCommandLineAsksFor() throws {
        let submission = try Self.submission(["--pipeline.stages", "2", "--pipeline.recompute", "true"])
        #expect(submission.configuration.pipeline.stages == 2)
        #expect(submission.configuration.pipeline.recompute)
    }

    @Test(arguments: [
        (["--pipeline.stages", "3"], "1:00:00", "3 stages"), ([], "soon", "--time"), ([], "4:00", "--warning"),
        (["--data.sequence", "4000"], "1:00:00", "chunk"),
    ])
    func refusesWithAReason(_ overrides: [String], _ time: String, _ word: String) throws {
        let error = #expect(throws: (any Error).self) {
            try Self.submission(overrides, request: Self.request(time: time))
        }
        #expect("\(try #require(error))".contains(word))
    }

    @Test(arguments: [0, -1, 65_536, 70_000, 9_000_000])
    func refusesAWarningThatSlurmDoesNotTake(_ warning: Int) throws {
        let error = #expect(throws: BatchError.self) {
            try Self.submission(request: Self.request(time: "100-00:00:00", warning: warning))
        }
        #expect("\(try #require(error))".contains("--warning: expected 1 to 65535 s"))
    }

    /// A machine that seems slower, another cluster: a run that has begun goes on as it began.
    @Test func aRunThatHasBegunKeepsItsLayout() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kept-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let here = ["--run.directory", folder]
        let first = try Self.submission(here)
        #expect(first.kept == nil)
        try first.configuration.toml().write(toFile: first.folder.configuration, atomically: true, encoding: .utf8)
        try first.script.text.write(toFile: first.folder.script, atomically: true, encoding: .utf8)
        // One that has not begun may be laid out anew.
        #expect(try Self.submission(here).kept == nil)
        try first.configuration.toml().write(toFile: folder + "/config.toml", atomically: true, encoding: .utf8)

        // Two sockets of many small cores, and a slow network: another plan.
        let other = try Cluster(
            nodes: 1, node: .init(cores: 2, memory: 64e9), core: .init(gflops: 2), network: Link(text: "900us,0.1gbit"))
        let replanned = try Self.submission(here, request: Self.request(replan: true), cluster: other)
        #expect(replanned.kept == nil)
        #expect(replanned.configuration != first.configuration)

        let again = try Self.submission(here + ["--training.steps", "900"], request: Self.request(), cluster: other)
        var expected = first.configuration
        expected.training.steps = 900
        #expect(again.configuration == expected)
        #expect(again.script.ranksPerNode == first.script.ranksPerNode)
        #expect(again.best == nil)
        #expect(again.summary.contains("kept        the layout of \(folder)/job.toml"), "\(again.summary)")

        // Other nodes need another layout: what the bits depend on stays.
        let fewer = try Self.submission(here, request: Self.request(nodes: 2), cluster: other)
        #expect(fewer.configuration.pipeline.replicas == first.configuration.pipeline.replicas)
        #expect(fewer.configuration.pipeline.slice == first.configuration.pipeline.slice)
        #expect(fewer.kept?.contains("the bits depend on them") == true)
        // The command line goes over all of it.
        let asked = try Self.submission(here + ["--pipeline.slice", "4096"], cluster: Self.cluster)
        #expect(asked.configuration.pipeline.slice == 4096)
    }
}
