import Hardware
import MPI
import Pipeline

/// The report that `gecko topology` prints.
func topology(_ world: MPIWorld, _ endpoint: MPIEndpoint) throws {
    let topology = try Topology()
    let report = try TopologyReport(world: world, topology: topology, threads: 0) { "stage \($0)" }
    if world.rank == 0 { print(report.text()) }
}
