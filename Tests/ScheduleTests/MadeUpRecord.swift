import Schedules
import Simulation

extension Simulation {
    /// A trace as if a run had done exactly what the simulation says: `steps` times, with a pause and an evaluation
    /// between steps.
    ///
    /// - Parameter begin: seconds of a beginning before each step's first actions
    func madeUpRecord(steps: Int, begin: Double = 0) -> Timeline {
        let once = timeline(title: "made up")
        var record = Timeline(title: once.title, ranks: once.ranks)
        for step in 0..<steps {
            let offset = 5 + Double(step) * (makespan + begin + 0.02)
            for rank in 0..<once.ranks where begin > 0 {
                record.spans.append(
                    Timeline.Span(
                        rank: rank, content: .label(StepPhase.begin.rawValue), start: offset - begin, duration: begin))
            }
            for var span in once.spans {
                span.start += offset
                record.spans.append(span)
            }
            for var arrow in once.arrows {
                arrow.departure += offset
                arrow.arrival += offset
                record.arrows.append(arrow)
            }
            record.spans.append(
                Timeline.Span(rank: 0, content: .label("evaluate"), start: offset + makespan, duration: 0.01))
        }
        return record
    }
}
