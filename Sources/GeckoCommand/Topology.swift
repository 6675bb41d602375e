import ArgumentParser
import Files
import Foundation
import Hardware
import MPI
import Pipeline

struct TopologyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topology",
        abstract: "Show the machine, the ranks, and the cores their threads are pinned to.",
        discussion: """
            Alone it shows where the stages of a run in one process would be; under mpirun or srun it shows every rank:
                mpirun -np 4 gecko topology --stages 2
            """)

    @Option(help: "Pipeline stages; under a launcher the number of ranks must be a multiple of it.")
    var stages: Int?
    @Option(help: "Threads per rank; 0 shares the cores evenly.")
    var threads = 0
    @Flag(help: "A line for each rank, where there are many.")
    var ranks = false

    func validate() throws {
        try OptionBounds.check("--stages", stages, atLeast: 1, atMost: 65_536)
        try OptionBounds.check("--threads", threads, atLeast: 0, atMost: 65_536)
    }

    func run() throws {
        switch try Launcher.detect(ProcessInfo.processInfo.environment) {
        case .none:
            let topology = try Topology()
            let report = try TopologyReport(ranks: stages ?? 1, topology: topology, threads: threads) { "stage \($0)" }
            try Console.show(report.text(allRanks: ranks), terminator: "")
        case .mpi:
            try runUnderLauncher()
        }
    }

    private func runUnderLauncher() throws {
        let world = try MPIWorld()
        let stages = stages ?? world.size
        guard world.size % stages == 0 else {
            // All ranks see this; one says it.
            if world.rank == 0 {
                complain("\(world.size) ranks cannot be shared by \(stages) stages; start a multiple of it.")
            }
            try world.finalize(endingWith: ExitCode.failure.rawValue)
            throw ExitCode.failure
        }
        do {
            let report = try TopologyReport(world: world, topology: Topology(), threads: threads) { rank in
                let stage = "stage \(rank % stages)"
                return world.size == stages ? stage : "\(stage) of replica \(rank / stages)"
            }
            if world.rank == 0 { try Console.show(report.text(allRanks: ranks), terminator: "") }
        } catch {
            complain("rank \(world.rank): \(error)")
            world.abort(code: 1)
        }
        try world.finalize(endingWith: 0)
    }

    private func complain(_ text: String) {
        Console.complain("Error: \(text)")
    }
}
