import Hardware

/// What of a model's work a breakdown tells apart beside the general kinds; an architecture lists those that it has.
extension Work {
    package static var attention: Work { Work(own: 0) }
    package static var ema: Work { Work(own: 1) }
    package static var norms: Work { Work(own: 2) }
}
