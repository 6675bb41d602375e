/// The affine views of z, and rotary positions.
public struct QueryKernels: Sendable {
    /// r = (mean of a head's z^2 + eps)^(-1/2): (r [rows, heads], z, shape with heads as groups, eps).
    public let headScales: @Sendable (UnsafeMutablePointer<Float>, FloatRows, GroupedShape, Float) -> Void
    /// The views of z.
    public let queriesAndKeys: @Sendable (QueryViewsArguments) -> Void
    /// The gradient of z r from those of the views.
    public let queryViewsBackward: @Sendable (QueryViewsBackwardArguments) -> Void
    /// The gradients of gamma and beta from that of a view.
    public let queryViewWeight: @Sendable (QueryViewWeightArguments) -> Void
    /// A query and a key of z without norm: z gamma_j + beta_j.
    public let affineViews: @Sendable (AffineViewsArguments) -> Void
    /// The gradient of z from those of both; those of gamma and beta are column sums.
    public let affineViewsBackward: @Sendable (AffineViewsBackwardArguments) -> Void
    /// Rotates pairs of features by their token's angles.
    public let rotate: @Sendable (RotateArguments) -> Void

    public init(
        headScales: @escaping @Sendable (UnsafeMutablePointer<Float>, FloatRows, GroupedShape, Float) -> Void,
        queriesAndKeys: @escaping @Sendable (QueryViewsArguments) -> Void,
        queryViewsBackward: @escaping @Sendable (QueryViewsBackwardArguments) -> Void,
        queryViewWeight: @escaping @Sendable (QueryViewWeightArguments) -> Void,
        affineViews: @escaping @Sendable (AffineViewsArguments) -> Void,
        affineViewsBackward: @escaping @Sendable (AffineViewsBackwardArguments) -> Void,
        rotate: @escaping @Sendable (RotateArguments) -> Void
    ) {
        self.headScales = headScales
        self.queriesAndKeys = queriesAndKeys
        self.queryViewsBackward = queryViewsBackward
        self.queryViewWeight = queryViewWeight
        self.affineViews = affineViews
        self.affineViewsBackward = affineViewsBackward
        self.rotate = rotate
    }
}

/// Views of z, [rows, features] each, without gaps; written. A model with a working memory has four, others two.
public struct QueryViews {
    /// Queries of attention.
    public var q: UnsafeMutablePointer<Float>
    /// Keys of attention.
    public var k: UnsafeMutablePointer<Float>
    /// Queries of the working memory; nil, as its keys: there is none.
    public var memoryQ: UnsafeMutablePointer<Float>?
    /// Keys of the working memory.
    public var memoryK: UnsafeMutablePointer<Float>?

    @inlinable public init(
        @_nonEphemeral q: UnsafeMutablePointer<Float>, @_nonEphemeral k: UnsafeMutablePointer<Float>,
        @_nonEphemeral memoryQ: UnsafeMutablePointer<Float>? = nil,
        @_nonEphemeral memoryK: UnsafeMutablePointer<Float>? = nil
    ) {
        assert((memoryQ == nil) == (memoryK == nil))
        self.q = q
        self.k = k
        self.memoryQ = memoryQ
        self.memoryK = memoryK
    }
}

/// Gradients of `QueryViews`.
public struct QueryViewGradients {
    public var q: UnsafePointer<Float>
    public var k: UnsafePointer<Float>
    /// nil, as that of its keys: there is no memory.
    public var memoryQ: UnsafePointer<Float>?
    public var memoryK: UnsafePointer<Float>?

    @inlinable public init(
        @_nonEphemeral q: UnsafePointer<Float>, @_nonEphemeral k: UnsafePointer<Float>,
        @_nonEphemeral memoryQ: UnsafePointer<Float>? = nil, @_nonEphemeral memoryK: UnsafePointer<Float>? = nil
    ) {
        assert((memoryQ == nil) == (memoryK == nil))
        self.q = q
        self.k = k
        self.memoryQ = memoryQ
        self.memoryK = memoryK
    }
}

/// view_j = z r (1 + gamma_j) / sqrt(features of a head) + beta_j.
public struct QueryViewsArguments {
    public var views: QueryViews
    /// [rows, features].
    public var z: FloatRows
    /// r [rows, heads], of `headScales`.
    public var scales: UnsafePointer<Float>
    /// [views, features], without the 1.
    public var gamma: UnsafePointer<Float>
    /// [views, features].
    public var beta: UnsafePointer<Float>
    /// Heads as groups.
    public var shape: GroupedShape

    @inlinable public init(
        views: QueryViews, z: FloatRows, @_nonEphemeral scales: UnsafePointer<Float>,
        @_nonEphemeral gamma: UnsafePointer<Float>, @_nonEphemeral beta: UnsafePointer<Float>, shape: GroupedShape
    ) {
        assert(z.stride >= shape.features)
        self.views = views
        self.z = z
        self.scales = scales
        self.gamma = gamma
        self.beta = beta
        self.shape = shape
    }
}

/// dz = the sum over views of d_j (1 + gamma_j) / sqrt(features of a head).
public struct QueryViewsBackwardArguments {
    /// [rows, features], without gaps; written: the gradient of z r.
    public var dz: UnsafeMutablePointer<Float>
    public var views: QueryViewGradients
    /// [views, features], without the 1.
    public var gamma: UnsafePointer<Float>
    /// Heads as groups.
    public var shape: GroupedShape

    @inlinable public init(
        @_nonEphemeral dz: UnsafeMutablePointer<Float>, views: QueryViewGradients,
        @_nonEphemeral gamma: UnsafePointer<Float>, shape: GroupedShape
    ) {
        self.dz = dz
        self.views = views
        self.gamma = gamma
        self.shape = shape
    }
}

/// dbeta += the sum over rows of d, dgamma += the sum of d z r / sqrt(features of a head), for one view
/// and some columns.
public struct QueryViewWeightArguments {
    /// [features]; added to.
    public var dgamma: UnsafeMutablePointer<Float>
    /// [features]; added to.
    public var dbeta: UnsafeMutablePointer<Float>
    /// d [rows, features], without gaps.
    public var dview: UnsafePointer<Float>
    /// [rows, features].
    public var z: FloatRows
    /// r [rows, heads].
    public var scales: UnsafePointer<Float>
    /// Heads as groups.
    public var shape: GroupedShape
    /// The features that this call adds to.
    public var columns: Range<Int>

    @inlinable public init(
        @_nonEphemeral dgamma: UnsafeMutablePointer<Float>, @_nonEphemeral dbeta: UnsafeMutablePointer<Float>,
        @_nonEphemeral dview: UnsafePointer<Float>, z: FloatRows, @_nonEphemeral scales: UnsafePointer<Float>,
        shape: GroupedShape, columns: Range<Int>
    ) {
        assert(columns.lowerBound >= 0 && columns.upperBound <= shape.features && z.stride >= shape.features)
        self.dgamma = dgamma
        self.dbeta = dbeta
        self.dview = dview
        self.z = z
        self.scales = scales
        self.shape = shape
        self.columns = columns
    }
}

/// q = z gamma_0 + beta_0, k = z gamma_1 + beta_1.
public struct AffineViewsArguments {
    /// [rows, features]; written.
    public var q: MutableFloatRows
    /// [rows, features]; written.
    public var k: MutableFloatRows
    /// [rows, features].
    public var z: FloatRows
    /// [2, features].
    public var gamma: UnsafePointer<Float>
    /// [2, features].
    public var beta: UnsafePointer<Float>
    public var extent: Extent

    @inlinable public init(
        q: MutableFloatRows, k: MutableFloatRows, z: FloatRows, @_nonEphemeral gamma: UnsafePointer<Float>,
        @_nonEphemeral beta: UnsafePointer<Float>, extent: Extent
    ) {
        assert(q.holds(extent) && k.holds(extent) && z.holds(extent))
        self.q = q
        self.k = k
        self.z = z
        self.gamma = gamma
        self.beta = beta
        self.extent = extent
    }
}

/// dz = dq gamma_0 + dk gamma_1.
public struct AffineViewsBackwardArguments {
    /// [rows, features]; written.
    public var dz: MutableFloatRows
    /// [rows, features].
    public var dq: FloatRows
    /// [rows, features].
    public var dk: FloatRows
    /// [2, features].
    public var gamma: UnsafePointer<Float>
    public var extent: Extent

    @inlinable public init(
        dz: MutableFloatRows, dq: FloatRows, dk: FloatRows, @_nonEphemeral gamma: UnsafePointer<Float>, extent: Extent
    ) {
        assert(dz.holds(extent) && dq.holds(extent) && dk.holds(extent))
        self.dz = dz
        self.dq = dq
        self.dk = dk
        self.gamma = gamma
        self.extent = extent
    }
}

/// The angles that rows are turned by, [rows, features] each, without gaps.
public struct RotaryAngles {
    /// Each angle twice.
    public var cosines: UnsafePointer<Float>
    /// Each angle twice, with signs (-, +).
    public var sines: UnsafePointer<Float>

    @inlinable public init(
        @_nonEphemeral cosines: UnsafePointer<Float>, @_nonEphemeral sines: UnsafePointer<Float>
    ) {
        self.cosines = cosines
        self.sines = sines
    }
}

/// Rotates pairs of neighbouring features in the first heads of x, in place.
public struct RotateArguments {
    /// [rows, _]; changed.
    public var x: MutableFloatRows
    public var angles: RotaryAngles
    /// 1, or -1 to turn back.
    public var direction: Float
    public var rows: Int
    /// Of one head.
    public var features: Int
    /// That are rotated: the first ones.
    public var heads: Int

    @inlinable public init(
        x: MutableFloatRows, angles: RotaryAngles, direction: Float, rows: Int, features: Int, heads: Int
    ) {
        assert(rows >= 0 && features % 2 == 0 && x.stride >= features * heads && direction.magnitude == 1)
        self.x = x
        self.angles = angles
        self.direction = direction
        self.rows = rows
        self.features = features
        self.heads = heads
    }
}
