import Schedules

extension Simulation {
    /// The predicted step as a timeline.
    public func timeline(title: String) -> Timeline {
        var timeline = Timeline(title: title, ranks: table.shape.ranks)
        for (rank, row) in table.rows.enumerated() {
            for (position, action) in row.enumerated() {
                let start = starts[rank][position]
                timeline.spans.append(
                    .init(
                        rank: rank, content: .action(action), start: start, duration: ends[rank][position] - start))
            }
            if costs.closing[rank] > 0, let end = ends[rank].last {
                timeline.spans.append(
                    .init(rank: rank, content: .label("optimizer"), start: end, duration: costs.closing[rank]))
            }
        }
        timeline.arrows = arrows.map {
            .init(
                fromRank: $0.from, departure: $0.departure, toRank: $0.to, arrival: $0.arrival, bytes: $0.bytes,
                action: $0.action)
        }
        return timeline
    }
}
