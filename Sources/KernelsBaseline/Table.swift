import KernelInterface

/// This level's kernels.
public func kernelTable(level: Int) -> KernelTable {
    KernelTable(
        level: level, tile: matrixTile, bfloat16Tile: bfloat16Tile,
        tokens: TokenKernels(
            elementwise: elementwiseKernels, gating: gatingKernels, featureNorms: featureNormKernels,
            queries: queryKernels, random: randomKernels),
        sequences: SequenceKernels(
            timestepNorms: timestepNormKernels,
            averages: AverageKernels(complex: complexEMAKernels, damped: dampedEMAKernels),
            softmax: softmaxKernels, attention: attentionKernels, biasedAttention: biasedAttentionKernels,
            memory: workingMemoryKernels), training: trainingKernels,
        multiplyAddPeak: multiplyAddPeak)
}
