import Foundation
import MPI
import Pipeline

/// Runs checks over MPI and says so in a line per check and rank; what the tests start under mpirun.
///
///     mpirun -np 2 mpi-probe pingpong sync
@main
struct MPIProbe {
    static let probes: [String: @Sendable (MPIWorld, MPIEndpoint) throws -> Void] = [
        "collectives": collectives,
        "exchange": exchange,
        "failure": failure,
        "large": large,
        "ordering": ordering,
        "pingpong": pingPong,
        "stays-behind": staysBehind,
        "stuck": stuck,
        "sync": sync,
        "timeout": timeout,
        "topology": topology,
        "wrong-size": wrongSize,
    ]

    static func main() {
        let names = Array(CommandLine.arguments.dropFirst())
        guard !names.isEmpty, names.allSatisfy({ probes[$0] != nil }) else {
            print("usage: mpi-probe PROBE...\nprobes: \(probes.keys.sorted().joined(separator: " "))")
            exit(64)
        }
        do {
            // Small pieces, so that messages in pieces are tested without gigabytes.
            let world = try MPIWorld(largestPiece: names == ["large"] ? 1 << 30 : 100_000)
            world.isOversubscribed = true
            world.patience = 60
            run(names, world)
            try world.finalize(endingWith: 0)
        } catch {
            complain(error)
            exit(2)
        }
    }

    private static func run(_ names: [String], _ world: MPIWorld) {
        let endpoint = MPIEndpoint(world)
        for name in names {
            do {
                try probes[name]?(world, endpoint)
                print("\(name) ok: rank \(world.rank) of \(world.size)")
            } catch {
                complain(error)
                world.abort(code: 3)
            }
        }
    }

    private static func complain(_ error: any Error) {
        FileHandle.standardError.write(Data("\(error)\n".utf8))
    }
}

struct ProbeFailure: Error, CustomStringConvertible {
    let description: String
}

func expect(_ condition: Bool, _ text: @autoclosure () -> String) throws {
    if !condition { throw ProbeFailure(description: text()) }
}
