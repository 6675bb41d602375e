import Batch
import MPI
import Simulation
import Testing
import Training

/// What is submitted: the planner's layout, the command line's wishes, a script that survives paths with spaces.
@Suite struct SubmissionTests {
    private static let cluster = try! Cluster(
        nodes: 1, sockets: 2, cores: 16, memory: 64e9, gflops: 50, network: Link(text: "5us,25gbit"))

    private static func request(time: String = "1:00:00", nodes: Int = 4) -> Submission.Request {
        Submission.Request(
            nodes: nodes, time: time, warning: 300, name: nil, gecko: "/opt/it's here/gecko", options: ["--account=us"])
    }

    private static func submission(
        _ overrides: [String] = [], request: Submission.Request = request()
    ) throws -> Submission {
        let standard = [
            "--data.path", "corpus.txt", "--run.directory", "runs/a b", "--data.sequence", "4096", "--training.batch",
            "8",
        ]
        return try Submission(
            request, configuration: RunConfiguration.load(file: nil, overrides: standard + overrides), cluster: cluster)
    }

    @Test func usesTheNodesAndSaysSoToSlurm() throws {
        let submission = try Self.submission()
        let candidate = submission.best.candidate
        #expect(candidate.stages * candidate.replicas == 4 * candidate.ranksPerNode)
        #expect(submission.configuration.pipeline.stages == candidate.stages)
        #expect(submission.configuration.machine.threads == candidate.threads)
        let text = submission.script.text
        #expect(text.contains("--nodes=4 --ntasks-per-node=\(candidate.ranksPerNode) "))
        #expect(text.contains("#SBATCH --time=1:00:00 --signal=B:USR1@300 --requeue"))
        #expect(text.contains("#SBATCH --account=us\n"))
        #expect(text.contains("export SLURM_PMIX_FENCE=ring"))
        #expect(text.contains("\nsrun --mpi=${GECKO_SRUN_MPI:-\(MPILibrary.current.slurmPlugin)} --kill"))
        #expect(text.contains("'/opt/it'\\''s here/gecko' train '"))
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
}
