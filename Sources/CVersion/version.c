#include "cversion.h"

const char *cversion_commit(void) { return GECKO_COMMIT; }
