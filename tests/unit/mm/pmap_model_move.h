/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PMAP_MODEL_MOVE_H
#define PMAP_MODEL_MOVE_H

/* Steps of pmap_model.c that move pages between nodes. */

void migrate(void);
void replicate(void);
void move_one(void);
void move_many(void);

#endif
