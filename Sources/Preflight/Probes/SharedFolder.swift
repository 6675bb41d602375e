import Foundation
import Hardware
import MPI

/// Whether all nodes see one folder, read what others wrote there, and may write themselves.
struct SharedFolder {
    let path: String
    let world: MPIWorld
    /// Network file systems show a new file late: their caches are often held for some seconds.
    private static let patience = 10.0

    /// All ranks call it.
    /// - Returns: what is wrong as this rank sees it, or as rank 0 sees this rank
    func check() throws -> String? {
        let own = world.rank == 0 ? "gecko-doctor-\(UUID().uuidString)" : nil
        let name = try world.broadcast(own, from: 0)
        func file(_ rank: Int) -> String { "\(path)/.\(name)-\(rank)" }
        var problem: String?
        if world.rank == 0 { problem = write(file(0)) }
        let began = try world.allGather(problem == nil)[0]
        if began, world.rank > 0 {
            problem = read(file(0), of: 0).map { "it doesn't see what rank 0 wrote: \($0)" } ?? write(file(world.rank))
        }
        var problems = try world.allGather(problem)
        if world.rank == 0 {
            for rank in 1..<max(1, world.size) where problems[rank] == nil && began {
                if let reason = read(file(rank), of: rank) {
                    problems[rank] = "rank 0 doesn't see what it wrote: \(reason)"
                }
            }
        }
        // What rank 0 saw goes back to each.
        let all = try world.broadcast(problems, from: 0)
        unlink(file(world.rank))
        return all.indices.contains(world.rank) ? all[world.rank] : nil
    }

    private func write(_ file: String) -> String? {
        let content = Data("rank \(world.rank)".utf8)
        do {
            try content.write(to: URL(fileURLWithPath: file))
            return nil
        } catch {
            let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error
            let reason = cause.map { String(cString: strerror(Int32(($0 as NSError).code))) }
            return "it cannot write there: \(reason ?? error.localizedDescription)"
        }
    }

    /// Nil when the file holds what `rank` wrote.
    private func read(_ file: String, of rank: Int) -> String? {
        let end = MonotonicClock.seconds + Self.patience
        while true {
            if let data = FileManager.default.contents(atPath: file) {
                if String(decoding: data, as: UTF8.self) == "rank \(rank)" { return nil }
            }
            if MonotonicClock.seconds >= end { return "not within \(Int(Self.patience)) s" }
            usleep(20_000)
        }
    }
}
