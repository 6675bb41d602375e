import Figures
import Schedules

/// The chain of actions and messages that decides how long a step takes: shortening anything else changes nothing.
public struct CriticalPath: Sendable, Equatable {
    /// An action of the path.
    public struct Step: Sendable, Equatable {
        /// Whose action it is.
        public let rank: Int
        /// The action.
        public let action: Action
        /// Seconds.
        public let start: Double
        /// Seconds.
        public let end: Double
        /// Seconds between the end of the step before and this start: a message under way.
        public let wait: Double
    }

    /// From the first action to the last.
    public let steps: [Step]

    /// Seconds of computing on the path by kind of action.
    public func time(_ kind: ActionKind) -> Double {
        steps.reduce(0) { $0 + ($1.action.kind == kind ? $1.end - $1.start : 0) }
    }

    /// Seconds of messages on the path.
    public var messageTime: Double { steps.reduce(0) { $0 + $1.wait } }

    /// How often the path goes from one rank to another.
    public var crossings: Int { zip(steps, steps.dropFirst()).reduce(0) { $0 + ($1.0.rank == $1.1.rank ? 0 : 1) } }

    /// Stretches of the path on one rank, as text: "rank 0 F0:0.0 ... F0:0.3 (4)".
    public var stretches: [String] {
        var stretches: [[Step]] = []
        for step in steps {
            if stretches.last?.last?.rank == step.rank {
                stretches[stretches.count - 1].append(step)
            } else {
                stretches.append([step])
            }
        }
        return stretches.map { stretch in
            let (first, last) = (stretch[0], stretch[stretch.count - 1])
            let actions =
                stretch.count == 1 ? "\(first.action)" : "\(first.action) to \(last.action) (\(stretch.count) actions)"
            return "rank \(first.rank) \(actions), \((last.end - first.start).asTime)"
        }
    }
}

extension Simulation {
    /// The chain that ends with the last action of the step.
    public var criticalPath: CriticalPath {
        var steps: [CriticalPath.Step] = []
        let ranks = (0..<table.shape.ranks).filter { !ends[$0].isEmpty }
        func end(_ rank: Int) -> Double { (ends[rank].last ?? 0) + costs.closing[rank] }
        guard var rank = ranks.max(by: { end($0) < end($1) }) else { return CriticalPath(steps: []) }
        var position = ends[rank].count - 1
        while true {
            let start = starts[rank][position]
            var next: (rank: Int, position: Int)?
            switch causes[rank][position] {
            case .none: break
            case .rank: next = (rank, position - 1)
            case .action(let other, let place): next = (other, place)
            }
            steps.append(
                .init(
                    rank: rank, action: table.rows[rank][position], start: start, end: ends[rank][position],
                    wait: next.map { max(0, start - ends[$0.rank][$0.position]) } ?? 0))
            guard let next else { break }
            (rank, position) = next
        }
        return CriticalPath(steps: steps.reversed())
    }
}
