import Kernels
import Testing

@Suite struct NonFiniteLossTests {
    @Test(arguments: [0, 3, 17, 32], [Float.nan, .infinity])
    func oneLogitThatIsNotFiniteShowsInTheLoss(position: Int, value: Float) {
        for kernels in KernelTable.runnable {
            var logits = (0..<33).map { Float($0) * 0.1 }
            logits[position] = value
            let memory = KernelMemory()
            let loss = memory.output("loss", doubles: 1)
            loss.pointee = 0
            kernels.training.crossEntropy(
                CrossEntropyArguments(
                    logits: memory.output("logits", from: logits), targets: memory.integers([Int32(5)]), losses: loss,
                    scale: 1, extent: Extent(rows: 1, columns: 33)))
            #expect(!loss.pointee.isFinite)
        }
    }
}
