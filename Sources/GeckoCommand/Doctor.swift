import ArgumentParser
import Checkpoints
import Files
import Foundation
import MPI
import Preflight
import Simulation

struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check every node before training: cores, memory, links, clocks, shared folder, arithmetic.",
        discussion: """
            srun --nodes 8 --ntasks-per-node 1 --mpi=pmix gecko doctor
            mpirun --hostfile hosts --map-by ppr:1:node --bind-to none gecko doctor

            One rank a node uses all of its cores. Takes some seconds. It names the node that is slow or unlike the \
            others, and exits with 1 if it \
            found anything. Alone it looks at this machine.

            On every core the same products are computed by tiles and by OpenBLAS: a core on which they differ by more \
            than \
            rounding can explain is named.
            """)

    @Option(help: "A folder that all nodes should share: where runs go.")
    var folder = "."

    @Option(
        help: "Golden data; Tests/ModelTests/Fixtures if it is here and nothing is given, none for \"none\".",
        transform: pathOption)
    var golden: String?

    @Option(
        help:
            """
            Latency and bandwidth that the network should have, such as 5us,25gbit; links are compared with each \
            other otherwise.
            """
    )
    var network: String?

    @Option(
        help:
            """
            How much slower than the better cores a core may be, and how much of its time other programs may have, \
            as a share.
            """
    )
    var tolerance = 0.15

    @Flag(help: "Measure one rank after the other, for ranks that share cores.")
    var inTurn = false

    func validate() throws {
        guard tolerance > 0, tolerance < 1 else {
            throw ValidationError(
                "--tolerance: expected a share between 0 and 1, found \(tolerance.asWritten)")
        }
        if let network {
            do { _ = try Link(text: network) } catch { throw ValidationError("--network: \(error)") }
        }
        if let golden, golden != "none", !FileManager.default.fileExists(atPath: golden) {
            throw ValidationError("--golden: there is no directory \(golden)")
        }
    }

    func run() throws {
        try Fault.checkEnvironment()
        _ = try Launcher.detect(ProcessInfo.processInfo.environment)
        let world = try MPIWorld()
        do {
            let standard = "Tests/ModelTests/Fixtures"
            let isHere = FileManager.default.fileExists(atPath: standard)
            let data = golden == "none" ? nil : golden ?? (isHere ? standard : nil)
            let settings = Preflight.Settings(folder: folder, golden: data, inTurn: inTurn)
            let preflight = try Preflight(world, settings)
            var limits = Tolerance()
            limits.speed = tolerance
            if let network {
                let link = try Link(text: network)
                limits.expectedLatency = link.latency
                limits.expectedBandwidth = link.bandwidth.isFinite ? link.bandwidth : nil
            }
            let report = HealthReport(nodes: preflight.nodes, links: preflight.links, tolerance: limits)
            if world.rank == 0 { try Console.show(report.text, terminator: "") }
            // One exit code is enough for the launcher; others would have it end the job before the report is out.
            let status: Int32 = world.rank == 0 && !report.diagnosis.findings.isEmpty ? 1 : 0
            try world.finalize(endingWith: status)
            if status != 0 { throw ExitCode(status) }
        } catch let exit as ExitCode {
            throw exit
        } catch {
            Console.complain("Error: rank \(world.rank): \(error)")
            world.abort(code: 1)
        }
    }
}
