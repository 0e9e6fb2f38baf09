import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { withNamedSchemas } from './named-schemas.ts';

/** The OpenAPI document of everything under /v1, made from the controllers. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Holdfast')
    .setDescription('Backup-as-a-service for XenServer and XCP-ng.')
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An API token, hf_live_…' });
  const document = SwaggerModule.createDocument(app, builder.build(), {
    operationIdFactory: (_controller, method) => method,
  });
  document.security = [{ bearer: [] }];
  return withNamedSchemas(document);
}

/** Serves it at /v1/openapi.json. */
export function serveOpenApi(app: INestApplication): void {
  SwaggerModule.setup('v1/docs', app, () => openApiDocument(app), {
    ui: false,
    raw: ['json'],
    jsonDocumentUrl: 'v1/openapi.json',
  });
}
