import Model
import TestSupport
import Testing

/// Moves each tensor along its own gradient g by +-step / |g|: the loss must change by 2 step |g|. The loss is computed
/// in float32, so the slope is good to about a percent.
///
/// - Parameter least: a gradient shorter than this changes the loss by less than it is computed to
func expectSlopes(of model: some RunnableModel, dropout: DropoutStream? = nil, least: Double = 0) {
    let gradients = model.result([model.length], dropout: dropout).gradients
    for (name, gradient) in gradients {
        let norm = gradient.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        #expect(norm > 0, "\(name)")
        let step = min(0.01, 0.002 / norm)
        let ends = [step, -step].map { step in
            model.loss(dropout: dropout) { store in
                guard let values = store.value(name) else { return }
                for i in gradient.indices { values[i] += Float(step * Double(gradient[i]) / norm) }
            }
        }
        let slope = (ends[0] - ends[1]) / (2 * step)
        #expect(
            abs(slope / norm - 1) < 0.02 || norm < least,
            "\(name) of \(model.configuration.sizes): the slope is \(slope), the gradient's norm \(norm)")
    }
}
