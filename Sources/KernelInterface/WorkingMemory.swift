/// The working memory's blend.
public struct WorkingMemoryKernels: Sendable {
    /// out = memory + rho (update - memory).
    public let blendRows: @Sendable (BlendRowsArguments) -> Void
    /// Gradients of log rho, the update and the memory.
    public let blendRowsBackward: @Sendable (BlendRowsBackwardArguments) -> Void

    public init(
        blendRows: @escaping @Sendable (BlendRowsArguments) -> Void,
        blendRowsBackward: @escaping @Sendable (BlendRowsBackwardArguments) -> Void
    ) {
        self.blendRows = blendRows
        self.blendRowsBackward = blendRowsBackward
    }
}

/// out = memory + rho (update - memory), rho by row; out may be the memory. All without gaps.
public struct BlendRowsArguments {
    /// [rows, columns]; written.
    public var out: UnsafeMutablePointer<Float>
    /// [rows, columns].
    public var memory: UnsafePointer<Float>
    /// [rows, columns].
    public var update: UnsafePointer<Float>
    /// [rows].
    public var rho: UnsafePointer<Float>
    public var extent: Extent

    @inlinable public init(
        @_nonEphemeral out: UnsafeMutablePointer<Float>, @_nonEphemeral memory: UnsafePointer<Float>,
        @_nonEphemeral update: UnsafePointer<Float>, @_nonEphemeral rho: UnsafePointer<Float>, extent: Extent
    ) {
        self.out = out
        self.memory = memory
        self.update = update
        self.rho = rho
        self.extent = extent
    }
}

/// dlogRho = rho sum dM (update - memory), then dupdate = rho dM and dM *= 1 - rho; dupdate may be the update.
/// All without gaps.
public struct BlendRowsBackwardArguments {
    /// [rows]; written.
    public var dlogRho: UnsafeMutablePointer<Float>
    /// [rows, columns]; written.
    public var dupdate: UnsafeMutablePointer<Float>
    /// dM [rows, columns]: of the blend, in; of the memory, out.
    public var dmemory: UnsafeMutablePointer<Float>
    /// [rows, columns].
    public var memory: UnsafePointer<Float>
    /// [rows, columns].
    public var update: UnsafePointer<Float>
    /// [rows].
    public var rho: UnsafePointer<Float>
    public var extent: Extent

    @inlinable public init(
        @_nonEphemeral dlogRho: UnsafeMutablePointer<Float>, @_nonEphemeral dupdate: UnsafeMutablePointer<Float>,
        @_nonEphemeral dmemory: UnsafeMutablePointer<Float>, @_nonEphemeral memory: UnsafePointer<Float>,
        @_nonEphemeral update: UnsafePointer<Float>, @_nonEphemeral rho: UnsafePointer<Float>, extent: Extent
    ) {
        self.dlogRho = dlogRho
        self.dupdate = dupdate
        self.dmemory = dmemory
        self.memory = memory
        self.update = update
        self.rho = rho
        self.extent = extent
    }
}
