import Model
import TestSupport
import Testing

/// Moves each tensor along its own gradient g by +-step / |g|: the loss must change by 2 step |g|. The loss is computed
/// in float32, so the slope is good to about a percent.
func expectSlopes(of model: SmallModel, dropout: DropoutStream? = nil) {
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
        #expect(abs(slope / norm - 1) < 0.02, "\(name): the slope is \(slope), the gradient's norm \(norm)")
    }
}
