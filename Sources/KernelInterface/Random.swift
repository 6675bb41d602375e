/// Random numbers.
public struct RandomKernels: Sendable {
    /// y = x scaled where kept, `dropped` elsewhere.
    public let dropoutRows: @Sendable (DropoutArguments) -> Void
    /// Standard normal numbers; returns how many are left to the caller.
    public let normals: @Sendable (NormalsArguments) -> Int

    public init(
        dropoutRows: @escaping @Sendable (DropoutArguments) -> Void,
        normals: @escaping @Sendable (NormalsArguments) -> Int
    ) {
        self.dropoutRows = dropoutRows
        self.normals = normals
    }
}

/// The key of a stream of words (Threefry-2x32).
public struct RandomKey {
    public var word0: UInt32
    public var word1: UInt32

    @inlinable public init(word0: UInt32, word1: UInt32) {
        self.word0 = word0
        self.word1 = word1
    }
}

/// Where in a stream rows find their words: element (t, i) draws word `first + t * perRow + i`.
public struct RandomWords {
    public var key: RandomKey
    /// Number of the first row's first word.
    public var first: Int
    /// From a row's first word to the next row's.
    public var perRow: Int

    @inlinable public init(key: RandomKey, first: Int, perRow: Int) {
        self.key = key
        self.first = first
        self.perRow = perRow
    }
}

/// y = x scale where kept, `dropped` elsewhere.
public struct DropoutArguments {
    /// [rows, columns]; written. y may be x.
    public var y: MutableFloatRows
    /// [rows, columns].
    public var x: FloatRows
    public var extent: Extent
    public var words: RandomWords
    /// An element is dropped when the low 32 bits of its word are below it: rate * 2^32.
    public var threshold: UInt32
    public var scale: Float
    public var dropped: Float

    @inlinable public init(
        y: MutableFloatRows, x: FloatRows, extent: Extent, words: RandomWords, threshold: UInt32, scale: Float,
        dropped: Float
    ) {
        assert(y.holds(extent) && x.holds(extent))
        self.y = y
        self.x = x
        self.extent = extent
        self.words = words
        self.threshold = threshold
        self.scale = scale
        self.dropped = dropped
    }
}

/// out[i] = deviation g(first + i), g(j) the standard normal numbers of the stream: the very floats that the C
/// library's functions give. NaN where that isn't certain or |g| may not be below `limit`.
public struct NormalsArguments {
    /// [count]; written.
    public var out: UnsafeMutablePointer<Float>
    public var count: Int
    public var key: RandomKey
    public var first: Int
    public var deviation: Double
    public var limit: Double

    @inlinable public init(
        @_nonEphemeral out: UnsafeMutablePointer<Float>, count: Int, key: RandomKey, first: Int, deviation: Double,
        limit: Double
    ) {
        assert(count >= 0)
        self.out = out
        self.count = count
        self.key = key
        self.first = first
        self.deviation = deviation
        self.limit = limit
    }
}
