import KernelInterface

/// This level's kernels.
public func kernelTable(level: Int) -> KernelTable {
    KernelTable(
        level: level, tile: matrixTile, bfloat16Tile: bfloat16Tile, elementwise: elementwiseKernels,
        gating: gatingKernels,
        featureNorms: featureNormKernels, timestepNorms: timestepNormKernels, ema: complexEMAKernels,
        softmax: softmaxKernels, attention: attentionKernels, queries: queryKernels, memory: workingMemoryKernels,
        training: trainingKernels, random: randomKernels, multiplyAddPeak: multiplyAddPeak)
}
