import Figures
import Glibc
import Hardware

/// The learning rate as a pure function of the step: linear warm-up, then one of three shapes.
package struct LearningRate: Sendable, Equatable {
    package enum Shape: String, Sendable, CaseIterable {
        /// Half a cosine from the peak to the minimum.
        case cosine
        /// Warm-up, stable, decay: the peak is held, then falls in a straight line to the minimum.
        case wsd
        /// The peak is held to the end.
        case constant
    }

    package let shape: Shape
    package let peak: Double
    /// Rate at the end as a share of the peak.
    package let minimumRatio: Double
    /// Steps of linear warm-up; the first of them already takes `peak / warmup`.
    package let warmup: Int
    /// All steps of the run, warm-up included.
    package let steps: Int
    /// With `wsd`: share of all steps, the last ones, that decay.
    package let decayFraction: Double

    package init(shape: Shape, peak: Double, minimumRatio: Double, warmup: Int, steps: Int, decayFraction: Double) {
        self.shape = shape
        self.peak = peak
        self.minimumRatio = minimumRatio
        self.warmup = warmup
        self.steps = steps
        self.decayFraction = decayFraction
    }

    package init(_ configuration: RunConfiguration) {
        let optimizer = configuration.optimizer
        self.init(
            shape: optimizer.schedule, peak: optimizer.learningRate, minimumRatio: optimizer.minimumRatio,
            warmup: optimizer.warmup, steps: configuration.training.steps, decayFraction: optimizer.decayFraction)
    }

    /// The rate of step `step`, counted from 0. The last step of the run (`steps - 1`) takes exactly the minimum of a
    /// falling shape; later steps keep it.
    package func rate(step: Int) -> Double {
        if step < warmup { return peak * Double(step + 1) / Double(warmup) }
        switch shape {
        case .constant:
            return peak
        case .cosine:
            let progress = Self.progress(step, from: max(0, warmup - 1), to: steps - 1)
            return minimum + (peak - minimum) * 0.5 * (1 + cos(.pi * progress))
        case .wsd:
            let decay = Int((decayFraction * Double(steps)).rounded())
            let start = max(warmup, steps - decay) - 1
            return decay == 0 ? peak : peak + (minimum - peak) * Self.progress(step, from: start, to: steps - 1)
        }
    }

    /// Set where the run is over before its warm-up: it never trains at the rate that was asked for.
    package var note: String? {
        guard warmup > 0, steps <= warmup, steps > 0 else { return nil }
        let share = (rate(step: steps - 1) / peak).asWholePercentage
        return
            "the run of \(steps) steps ends within the warm-up of \(warmup), at \(share) of the peak learning rate: "
            + "lower optimizer.warmup, or raise training.steps"
    }

    private var minimum: Double { peak * minimumRatio }

    /// How far `step` is from `start`, the last step at the peak, to `end`: 0 ... 1.
    private static func progress(_ step: Int, from start: Int, to end: Int) -> Double {
        if step >= end { return 1 }
        return step <= start ? 0 : Double(step - start) / Double(end - start)
    }
}
