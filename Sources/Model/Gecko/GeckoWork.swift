import Hardware

/// What of a Gecko's work a breakdown tells apart beside the general kinds.
extension Work {
    static var attention: Work { Work(own: 0) }
    static var ema: Work { Work(own: 1) }
    static var norms: Work { Work(own: 2) }
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
