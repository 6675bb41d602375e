import Hardware
import Schedules

/// What a rank is at within a step, counted from 0, or an evaluation. At most three words, as an `Activity` should be:
/// hence the 32 bits.
enum StepActivity: Activity {
    case begins(step: Int32)
    /// The action at a position of the rank's row.
    case computes(_ row: [Action], position: Int32, step: Int32)
    case hasFinishedItsRow(step: Int32)
    case updates(step: Int32)
    case evaluates(_ row: [Action], position: Int32)
    case generates(stage: Int32)

    var description: String {
        switch self {
        case .begins(let step): "begins step \(step + 1)"
        case .computes(let row, let position, let step): "computes \(row[Int(position)]) of step \(step + 1)"
        case .hasFinishedItsRow(let step): "has finished its row of step \(step + 1)"
        case .updates(let step): "updates its parameters in step \(step + 1)"
        case .evaluates(let row, let position): "computes \(row[Int(position)]) of an evaluation"
        case .generates(let stage): "generates text at stage \(stage)"
        }
    }
}
