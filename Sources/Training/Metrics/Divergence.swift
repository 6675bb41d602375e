import Figures
import Glibc

/// Notices a run whose loss has left all bounds: guessing without a model gives the logarithm of the vocabulary.
package struct Divergence: Sendable {
    private let bound: Double
    private var inARow = 0
    private var isTold = false

    /// Steps in a row before it is told: a single spike is nothing.
    private static let patience = 10

    package init(vocabulary: Int) { bound = 3 * log(Double(max(2, vocabulary))) }

    /// - Returns: what to say, once in a run
    package mutating func update(step: Int, loss: Double, isLast: Bool) -> String? {
        inARow = loss > bound ? inARow + 1 : 0
        guard !isTold, inARow >= Self.patience || (isLast && inARow > 0) else { return nil }
        isTold = true
        return "the loss of step \(step) is \(ProgressLine.fixed(loss, 4)) nats, where guessing gives "
            + "\(ProgressLine.fixed(bound / 3, 2)): the run diverges. Lower optimizer.learning_rate, lengthen "
            + "optimizer.warmup, or set optimizer.clip"
    }
}
