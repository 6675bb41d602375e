import Hardware

extension Work {
    /// The adaptive working memory.
    static var memory: Work { Work(own: 3) }
}

extension GeckoConfiguration {
    package static var workKinds: [WorkKind] {
        [
            WorkKind(.gemm, "GEMM", isProducts: true), WorkKind(.attention, "attention", isProducts: true),
            WorkKind(.ema, "EMA"), WorkKind(.norms, "norms"), WorkKind(.memory, "memory", isProducts: true),
            WorkKind(.elementwise, "elementwise"), WorkKind(.optimizer, "optimizer"),
            WorkKind(.communication, "communication"),
        ]
    }
}
