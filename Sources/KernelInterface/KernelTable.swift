/// The vector kernels of one CPU level. Each field is described where it is written, in `Sources/KernelsBaseline`.
public struct KernelTable: Sendable {
    public typealias P = UnsafePointer<Float>
    public typealias MP = UnsafeMutablePointer<Float>

    /// Longest tile of the complex EMA in tokens, and the scratch floats one worker needs for it.
    public static let emaTile = 64
    public static let emaScratch = 6 * 1024

    /// The level that the code was compiled for: 5 (x86-64-v4 with AVX512-BF16), 4, 3 or 0 (baseline).
    public let level: Int

    // MatrixTiles.swift
    public let tile: MatrixTile
    /// Products of bfloat16; nil where the CPU has no instruction for them.
    public let bfloat16Tile: MatrixTile?

    // Elementwise.swift
    public let addTo: @Sendable (MP, P, Int) -> Void
    public let scaled: @Sendable (MP, P, Float, Int) -> Void
    public let addRow: @Sendable (MP, Int, P, Int, P, Int, Int) -> Void
    public let multiplyRow: @Sendable (MP, P, P, Int, Int) -> Void
    public let addMultipliedRow: @Sendable (MP, P, P, Int, Int) -> Void
    public let columnSums: @Sendable (P, Int, Int, Int, MP) -> Void
    public let columnDots: @Sendable (P, P, Int, Int, Int, MP) -> Void
    public let biasSilu: @Sendable (MP, Int, P?, MP, Int, Int, Int) -> Void
    public let siluBackward: @Sendable (MP, Int, P, Int, P, Int, Int, Int) -> Void
    public let swiglu: @Sendable (MP, P, Int, Int) -> Void
    public let swigluBackward: @Sendable (MP, P, P, Int, Int) -> Void
    public let gatedMix: @Sendable (MP, P, P, Int, P, Int, Int) -> Void
    public let gatedMixBackward: @Sendable (MP, MP, Int, P, P, P, Int, Int, Int) -> Void
    public let gatherRows: @Sendable (MP, P, UnsafePointer<Int32>, Float, Int, Int) -> Void
    public let scatterRows: @Sendable (MP, P, UnsafePointer<Int32>, Float, Int, Int, Int, Int) -> Void

    // FeatureNorms.swift
    public let rmsNorm: @Sendable (MP, Int, MP, P, Int, P?, Int, Int, Int, Float) -> Void
    public let rmsNormBackward: @Sendable (MP, Int, P, Int, P, Int, P, P?, Int, Int, Int) -> Void
    public let rmsNormWeight: @Sendable (MP, P, P, P, Int, Int, Int, Int, Int) -> Void
    public let layerNorm: @Sendable (MP, MP, MP, P, P?, P?, Int, Int, Int, Float) -> Void
    public let layerNormBackward: @Sendable (MP, P, P, P, P, P?, Int, Int, Int, Bool) -> Void
    public let layerNormWeight: @Sendable (MP, MP, P, P, P, P, Int, Int, Int, Int, Int) -> Void

    // TimestepDecayNorm.swift
    public let timestepNorm:
        @Sendable (
            MP, MP, MP, MP, MP, P, P, P, P, P, UnsafePointer<UInt8>, Int, Int, Int, Int, Int, Double, Double, Float
        ) -> Void
    public let timestepNormAgain: @Sendable (MP, P, P, P, P, P, Int, Int, Int) -> Void
    public let timestepNormBackward:
        @Sendable (
            MP, MP, MP, MP, MP, P, P, P, P, P, P, P, UnsafePointer<UInt8>, Int, Int, Int, Int, Int, Double, Double, MP
        ) -> Void

    // ComplexEMA.swift
    public let complexEMA:
        @Sendable (
            MP, MP, MP, MP, P, P, P, P, P, P, UnsafePointer<Int32>, UnsafePointer<UInt8>, Int, Int, Int, Int, Int, Int,
            MP
        ) -> Void
    public let complexEMABackward:
        @Sendable (
            MP, MP, MP, MP, MP, MP, MP, MP, P, P, P, P, P, P, P, P, UnsafePointer<Int32>, UnsafePointer<UInt8>, Int,
            Int, Int, Int, Int, Int, MP
        ) -> Void

    // Softmax.swift
    public let softmaxRows: @Sendable (MP, Int, P, Int, Int, Int) -> Void
    public let softmaxRowsBackward: @Sendable (MP, Int, P, Int, P, Int, Int, Int, Bool) -> Void
    public let causalExponentials: @Sendable (MP, Int, Int, Int, Int, MP, MP) -> Void
    public let divideRows: @Sendable (MP, Int, P, Int, Int) -> Void
    public let causalSoftmaxBackward: @Sendable (MP, MP, Int, Int, Int, Int, P, P, P) -> Void
    public let rowDots: @Sendable (MP, P, Int, P, Int, Int, Int) -> Void
    public let maskDocuments: @Sendable (MP, Int, Int, Int, UnsafePointer<Int32>, UnsafePointer<Int32>) -> Void
    public let softmaxColumns: @Sendable (MP, Int, MP, P, Int, Int, Int) -> Void
    public let softmaxColumnsBackward: @Sendable (MP, Int, P, Int, P, Int, P, Int, Int) -> Void

    // Queries.swift
    public let headScales: @Sendable (MP, P, Int, Int, Int, Int, Float) -> Void
    public let queryViews: @Sendable (MP, MP, MP, MP, P, Int, P, P, P, Int, Int, Int) -> Void
    public let queryViewsBackward: @Sendable (MP, P, P, P, P, P, Int, Int, Int) -> Void
    public let queryViewWeight: @Sendable (MP, MP, P, P, Int, P, Int, Int, Int, Int, Int) -> Void
    public let rotate: @Sendable (MP, Int, P, P, Float, Int, Int, Int) -> Void

    // Memory.swift
    public let blendRows: @Sendable (MP, P, P, P, Int, Int) -> Void
    public let blendRowsBackward: @Sendable (MP, MP, MP, P, P, P, Int, Int) -> Void

    // Loss.swift
    public let crossEntropy: @Sendable (MP, UnsafePointer<Int32>, UnsafeMutablePointer<Double>, Float, Int, Int) -> Void

    // Optimizer.swift
    public let adamW: @Sendable (MP, MP, MP, P, Int, Float, Float, Float, Float, Float, Float, Float, Float) -> Void
    public let sumOfSquares: @Sendable (P, Int) -> Double

    // Dropout.swift
    public let dropoutRows:
        @Sendable (MP, Int, P, Int, UInt32, UInt32, Int, Int, UInt32, Float, Float, Int, Int) -> Void

    // Normals.swift
    public let normals: @Sendable (MP, Int, UInt32, UInt32, Int, Double, Double) -> Int

    // Peak.swift
    public let multiplyAddPeak: @Sendable (Int, Float) -> Float

    public init(
        level: Int,
        tile: MatrixTile,
        bfloat16Tile: MatrixTile?,
        addTo: @escaping @Sendable (MP, P, Int) -> Void,
        scaled: @escaping @Sendable (MP, P, Float, Int) -> Void,
        addRow: @escaping @Sendable (MP, Int, P, Int, P, Int, Int) -> Void,
        multiplyRow: @escaping @Sendable (MP, P, P, Int, Int) -> Void,
        addMultipliedRow: @escaping @Sendable (MP, P, P, Int, Int) -> Void,
        columnSums: @escaping @Sendable (P, Int, Int, Int, MP) -> Void,
        columnDots: @escaping @Sendable (P, P, Int, Int, Int, MP) -> Void,
        biasSilu: @escaping @Sendable (MP, Int, P?, MP, Int, Int, Int) -> Void,
        siluBackward: @escaping @Sendable (MP, Int, P, Int, P, Int, Int, Int) -> Void,
        swiglu: @escaping @Sendable (MP, P, Int, Int) -> Void,
        swigluBackward: @escaping @Sendable (MP, P, P, Int, Int) -> Void,
        gatedMix: @escaping @Sendable (MP, P, P, Int, P, Int, Int) -> Void,
        gatedMixBackward: @escaping @Sendable (MP, MP, Int, P, P, P, Int, Int, Int) -> Void,
        gatherRows: @escaping @Sendable (MP, P, UnsafePointer<Int32>, Float, Int, Int) -> Void,
        scatterRows: @escaping @Sendable (MP, P, UnsafePointer<Int32>, Float, Int, Int, Int, Int) -> Void,
        rmsNorm: @escaping @Sendable (MP, Int, MP, P, Int, P?, Int, Int, Int, Float) -> Void,
        rmsNormBackward: @escaping @Sendable (MP, Int, P, Int, P, Int, P, P?, Int, Int, Int) -> Void,
        rmsNormWeight: @escaping @Sendable (MP, P, P, P, Int, Int, Int, Int, Int) -> Void,
        layerNorm: @escaping @Sendable (MP, MP, MP, P, P?, P?, Int, Int, Int, Float) -> Void,
        layerNormBackward: @escaping @Sendable (MP, P, P, P, P, P?, Int, Int, Int, Bool) -> Void,
        layerNormWeight: @escaping @Sendable (MP, MP, P, P, P, P, Int, Int, Int, Int, Int) -> Void,
        timestepNorm:
            @escaping @Sendable (
                MP, MP, MP, MP, MP, P, P, P, P, P, UnsafePointer<UInt8>, Int, Int, Int, Int, Int, Double, Double, Float
            ) -> Void,
        timestepNormAgain: @escaping @Sendable (MP, P, P, P, P, P, Int, Int, Int) -> Void,
        timestepNormBackward:
            @escaping @Sendable (
                MP, MP, MP, MP, MP, P, P, P, P, P, P, P, UnsafePointer<UInt8>, Int, Int, Int, Int, Int, Double, Double,
                MP
            ) -> Void,
        complexEMA:
            @escaping @Sendable (
                MP, MP, MP, MP, P, P, P, P, P, P, UnsafePointer<Int32>, UnsafePointer<UInt8>, Int, Int, Int, Int, Int,
                Int, MP
            ) -> Void,
        complexEMABackward:
            @escaping @Sendable (
                MP, MP, MP, MP, MP, MP, MP, MP, P, P, P, P, P, P, P, P, UnsafePointer<Int32>, UnsafePointer<UInt8>, Int,
                Int, Int, Int, Int, Int, MP
            ) -> Void,
        softmaxRows: @escaping @Sendable (MP, Int, P, Int, Int, Int) -> Void,
        softmaxRowsBackward: @escaping @Sendable (MP, Int, P, Int, P, Int, Int, Int, Bool) -> Void,
        causalExponentials: @escaping @Sendable (MP, Int, Int, Int, Int, MP, MP) -> Void,
        divideRows: @escaping @Sendable (MP, Int, P, Int, Int) -> Void,
        causalSoftmaxBackward: @escaping @Sendable (MP, MP, Int, Int, Int, Int, P, P, P) -> Void,
        rowDots: @escaping @Sendable (MP, P, Int, P, Int, Int, Int) -> Void,
        maskDocuments: @escaping @Sendable (MP, Int, Int, Int, UnsafePointer<Int32>, UnsafePointer<Int32>) -> Void,
        softmaxColumns: @escaping @Sendable (MP, Int, MP, P, Int, Int, Int) -> Void,
        softmaxColumnsBackward: @escaping @Sendable (MP, Int, P, Int, P, Int, P, Int, Int) -> Void,
        headScales: @escaping @Sendable (MP, P, Int, Int, Int, Int, Float) -> Void,
        queryViews: @escaping @Sendable (MP, MP, MP, MP, P, Int, P, P, P, Int, Int, Int) -> Void,
        queryViewsBackward: @escaping @Sendable (MP, P, P, P, P, P, Int, Int, Int) -> Void,
        queryViewWeight: @escaping @Sendable (MP, MP, P, P, Int, P, Int, Int, Int, Int, Int) -> Void,
        rotate: @escaping @Sendable (MP, Int, P, P, Float, Int, Int, Int) -> Void,
        blendRows: @escaping @Sendable (MP, P, P, P, Int, Int) -> Void,
        blendRowsBackward: @escaping @Sendable (MP, MP, MP, P, P, P, Int, Int) -> Void,
        crossEntropy:
            @escaping @Sendable (MP, UnsafePointer<Int32>, UnsafeMutablePointer<Double>, Float, Int, Int) -> Void,
        adamW: @escaping @Sendable (MP, MP, MP, P, Int, Float, Float, Float, Float, Float, Float, Float, Float) -> Void,
        sumOfSquares: @escaping @Sendable (P, Int) -> Double,
        dropoutRows:
            @escaping @Sendable (MP, Int, P, Int, UInt32, UInt32, Int, Int, UInt32, Float, Float, Int, Int) -> Void,
        normals: @escaping @Sendable (MP, Int, UInt32, UInt32, Int, Double, Double) -> Int,
        multiplyAddPeak: @escaping @Sendable (Int, Float) -> Float
    ) {
        self.level = level
        self.tile = tile
        self.bfloat16Tile = bfloat16Tile
        self.addTo = addTo
        self.scaled = scaled
        self.addRow = addRow
        self.multiplyRow = multiplyRow
        self.addMultipliedRow = addMultipliedRow
        self.columnSums = columnSums
        self.columnDots = columnDots
        self.biasSilu = biasSilu
        self.siluBackward = siluBackward
        self.swiglu = swiglu
        self.swigluBackward = swigluBackward
        self.gatedMix = gatedMix
        self.gatedMixBackward = gatedMixBackward
        self.gatherRows = gatherRows
        self.scatterRows = scatterRows
        self.rmsNorm = rmsNorm
        self.rmsNormBackward = rmsNormBackward
        self.rmsNormWeight = rmsNormWeight
        self.layerNorm = layerNorm
        self.layerNormBackward = layerNormBackward
        self.layerNormWeight = layerNormWeight
        self.timestepNorm = timestepNorm
        self.timestepNormAgain = timestepNormAgain
        self.timestepNormBackward = timestepNormBackward
        self.complexEMA = complexEMA
        self.complexEMABackward = complexEMABackward
        self.softmaxRows = softmaxRows
        self.softmaxRowsBackward = softmaxRowsBackward
        self.causalExponentials = causalExponentials
        self.divideRows = divideRows
        self.causalSoftmaxBackward = causalSoftmaxBackward
        self.rowDots = rowDots
        self.maskDocuments = maskDocuments
        self.softmaxColumns = softmaxColumns
        self.softmaxColumnsBackward = softmaxColumnsBackward
        self.headScales = headScales
        self.queryViews = queryViews
        self.queryViewsBackward = queryViewsBackward
        self.queryViewWeight = queryViewWeight
        self.rotate = rotate
        self.blendRows = blendRows
        self.blendRowsBackward = blendRowsBackward
        self.crossEntropy = crossEntropy
        self.adamW = adamW
        self.sumOfSquares = sumOfSquares
        self.dropoutRows = dropoutRows
        self.normals = normals
        self.multiplyAddPeak = multiplyAddPeak
    }
}
