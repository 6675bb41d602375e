import Batch
import Testing

/// What Slurm prints, read.
@Suite struct SlurmTextTests {
    @Test(arguments: [
        ("90", 5400), ("12:30", 750), ("1:00:00", 3600), ("1-12", 129_600), ("2-03:04", 183_840),
        ("1-00:00:01", 86_401), ("00:00:00", 0),
    ])
    func readsTimes(_ text: String, _ seconds: Int) {
        #expect(SlurmTime.seconds(text) == seconds)
    }

    @Test(arguments: [
        "", "UNLIMITED", "1:2:3:4", "-1", "1-", "12h", "1:-2", "99999999", "+1-00", "1:", ":1", "1-2-3", "١:٠٠",
        " 1:00", "1.5", "-1-00",
    ])
    func refusesWhatIsNoTime(_ text: String) {
        #expect(SlurmTime.seconds(text) == nil)
    }

    @Test func takesTheLeastOfUnlikeNodes() throws {
        let shape = try NodeShape(sinfo: "n1 2 32 256000\nn2 2 24 512000+\nn1 2 32 256000\n")
        #expect(shape.nodes == 2)
        #expect(shape.sockets == 2)
        #expect(shape.cores == 48)
        #expect(shape.memory == 256_000 * 1_048_576)
        #expect(!shape.areAlike)
        #expect(throws: BatchError.self) { try NodeShape(sinfo: "\n") }
    }

    @Test func readsAJob() throws {
        let job = try #require(
            SlurmJob(
                scontrol:
                    """
                    JobId=42 JobName=a=b UserId=me(1000) JobState=RUNNING Reason=None Restarts=2 RunTime=00:10:00 \
                    TimeLimit=12:00:00 StartTime=2026-01-01T00:00:00 NodeList=n[1-3]\n
                    """
            ))
        #expect(job.number == "42")
        #expect(job.isAlive)
        #expect(job.restarts == 2)
        #expect(job.runTime == 600)
        #expect(job.limit == 43_200)
        #expect(job.nodes == "n[1-3]")
        #expect(SlurmJob(scontrol: "slurm_load_jobs error: Invalid job id specified") == nil)
    }

    /// A name is chosen by people; what follows it isn't.
    @Test func aJobsNameIsNoField() throws {
        let job = try #require(
            SlurmJob(
                scontrol:
                    """
                    JobId=42 JobName=x JobState=COMPLETED UserId=no UserId=me(1000) GroupId=us(100) \
                    JobState=PENDING Reason=Priority
                    """
            ))
        #expect(job.state == "PENDING")
        #expect(job.reason == "Priority")
    }

    @Test func readsAccounts() throws {
        let job = try #require(SlurmJob(sacct: "42|CANCELLED by 1000|n[1-2]|65|00:10:00|2026-01-01T00:00:00\n"))
        #expect(job.state == "CANCELLED")
        #expect(!job.isAlive)
        #expect(job.runTime == 65)
        #expect(job.limit == 600)
        #expect(SlurmJob(sacct: "") == nil)
        #expect(SlurmJob(sacct: "Slurm accounting storage is disabled\n") == nil)
    }
}
