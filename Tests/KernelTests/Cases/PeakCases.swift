import Kernels

extension KernelCases {
    /// The chain a = 0.999 a + 0.001 x begins at its fixed point x in each of 12 x 16 lanes.
    static let peaks: [KernelCase] = [0, 1, 100].map { rounds in
        KernelCase("multiplyAddPeak", "\(rounds) rounds", tolerance: 1e-5) { kernels, memory in
            memory.output("sum", doubles: 1).pointee = Double(kernels.multiplyAddPeak(rounds, 1.5))
        } expected: {
            ["sum": [12 * 16 * 1.5]]
        }
    }
}
