import Kernels
import Testing

@Suite struct NonFiniteLossTests {
    @Test(arguments: [0, 3, 17, 32], [Float.nan, .infinity])
    func oneLogitThatIsNotFiniteShowsInTheLoss(position: Int, value: Float) {
        for kernels in KernelTable.runnable {
            var logits = (0..<33).map { Float($0) * 0.1 }
            logits[position] = value
            var loss = [0.0]
            kernels.crossEntropy(&logits, [Int32(5)], &loss, 1, 1, 33)
            #expect(!loss[0].isFinite)
        }
    }
}
